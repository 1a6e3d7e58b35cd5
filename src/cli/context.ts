import type { Command } from "commander";
import { type CloudOptions, connect } from "./connection.ts";
import type { ControlClient } from "./control-client.ts";
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

export interface JsonOption {
  readonly json?: boolean;
}

export function client(context: CommandContext, options: CloudOptions): ControlClient {
  return connect(options, context.surroundings);
}
