import type { Command } from "commander";
import { type CloudOptions, connect } from "./connection.ts";
import type { ControlClient } from "./control-client.ts";
import { CommandFailure } from "./failure.ts";
import type { Printer } from "./printer.ts";
import type { Surroundings } from "./surroundings.ts";

/** What every command is given. */
export interface CommandContext {
  readonly surroundings: Surroundings;
  readonly printer: Printer;
  /** Ends the command with another exit code than 0 where it ran through. */
  readonly end: (exitCode: 0 | 1 | 2) => void;
}

/** Gives a command that prints data its `--json`. */
export function withJson(command: Command): Command {
  return command.option("--json", "print JSON");
}

/** Gives a command an option that it cannot do without; `--help` says so. */
export function withRequired(command: Command, flags: string, description: string): Command {
  return command.requiredOption(flags, `${description} (required)`);
}

const notChanges: ReadonlySet<string> = new Set(["data", "url", "tokenFile", "json"]);

/** A change that changes nothing is a slip: fails with the options that name something to change. */
export function requireChange(command: Command): void {
  const changing = command.options.filter((option) => !notChanges.has(option.attributeName()));
  const options: Readonly<Record<string, unknown>> = command.opts();
  if (changing.some((option) => options[option.attributeName()] !== undefined)) return;
  throw new CommandFailure("invalid_usage", "Nothing to change is named.", {
    next: `Give at least one of ${changing.map(({ long }) => long).join(", ")}.`,
  });
}

export interface JsonOption {
  readonly json?: boolean;
}

export function client(context: CommandContext, options: CloudOptions): ControlClient {
  return connect(options, context.surroundings);
}
