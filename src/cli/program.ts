import { Command, CommanderError } from "commander";
import { RefusalError } from "../base/index.ts";
import { addBackupCommand, addPolicyCommands, addStatusCommand } from "./cloud.ts";
import type { CommandContext } from "./context.ts";
import { addDoctorCommand } from "./doctor.ts";
import { CommandFailure, failureOf } from "./failure.ts";
import { addKeyCommands } from "./key.ts";
import { addModelCommands } from "./model.ts";
import { addOrganisationCommands } from "./organisation.ts";
import { Printer } from "./printer.ts";
import { addProjectCommands } from "./project.ts";
import { addReceiptCommands } from "./receipt.ts";
import { addRestoreCommand } from "./restore.ts";
import type { Surroundings } from "./surroundings.ts";
import { addUpCommand } from "./up.ts";
import { addUsageCommand } from "./usage.ts";
import { addVersionCommand, readVersion } from "./version.ts";

/** Runs the command that the arguments name and resolves to its exit code. Never rejects. */
export async function runCommandLine(surroundings: Surroundings): Promise<0 | 1 | 2> {
  const printer = new Printer(surroundings);
  let exitCode: 0 | 1 | 2 = 0;
  const context: CommandContext = { surroundings, printer, end: (code) => (exitCode = code) };
  try {
    await createProgram(context).parseAsync([...surroundings.argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const failure = error instanceof RefusalError ? failureOf(error.refusal) : error;
    if (failure instanceof CommandFailure) printer.failure(failure);
    // A defect, or a disk that fails: its trace is what a report of it needs.
    else printer.note(failure instanceof Error ? (failure.stack ?? failure.message) : String(failure));
    return 2;
  }
}

/** Every command with its options; what a command needs is imported when it runs. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.surroundings;
  const program = new Command("bailiwick")
    .description("An AI cloud inside your own borders: open-weight models, metered, with a receipt for every answer.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .showHelpAfterError("(`--help` explains the command)")
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    });
  addUpCommand(program, context);
  addStatusCommand(program, context);
  addDoctorCommand(program, context);
  addModelCommands(program, context);
  addOrganisationCommands(program, context);
  addProjectCommands(program, context);
  addKeyCommands(program, context);
  addUsageCommand(program, context);
  addReceiptCommands(program, context);
  addPolicyCommands(program, context);
  addBackupCommand(program, context);
  addRestoreCommand(program, context);
  addVersionCommand(program, context);
  return program;
}
