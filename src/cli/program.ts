import { Command, CommanderError, type Option } from "commander";
import { isLoopback, RefusalError } from "../base/index.ts";
import { addAlertCommands } from "./alert.ts";
import { addAuditCommand } from "./audit.ts";
import { addBundleCommands } from "./bundle.ts";
import { addBackupCommand, addStatusCommand } from "./cloud.ts";
import type { CommandContext } from "./context.ts";
import { addDoctorCommand } from "./doctor.ts";
import { addDrillCommand } from "./drill.ts";
import { addFactsCommands } from "./facts.ts";
import { addContentCommands } from "./content.ts";
import { addGrantCommands } from "./grant.ts";
import { addErasureCommands } from "./erasure.ts";
import { addExitCommands } from "./exit.ts";
import { addExportCommands } from "./export.ts";
import { CommandFailure, failureOf } from "./failure.ts";
import { addFocusCommands } from "./focus.ts";
import { addInvoiceCommands } from "./invoice.ts";
import { addPaperCommands } from "./paper.ts";
import { addKeyCommands } from "./key.ts";
import { addLedgerCommands } from "./ledger.ts";
import { addLogCommands } from "./log.ts";
import { addModelCommands } from "./model.ts";
import { addNetworkCommand } from "./network.ts";
import { addOrganisationCommands } from "./organisation.ts";
import { addOperatorCommands } from "./operator.ts";
import { addPlanCommand } from "./plan.ts";
import { addPoolCommand } from "./pool.ts";
import { addPolicyCommands } from "./policy.ts";
import { Printer } from "./printer.ts";
import { addProjectCommands } from "./project.ts";
import { addReceiptCommands } from "./receipt.ts";
import { addReportCommands } from "./report.ts";
import { addReservationCommands } from "./reservation.ts";
import { addHostCommands } from "./host.ts";
import { addJoinCommand } from "./join.ts";
import { addPriceBookCommands } from "./price-book.ts";
import { addRateCommand } from "./rate.ts";
import { addRestoreCommand } from "./restore.ts";
import type { Surroundings } from "./surroundings.ts";
import { addSigningKeyCommands } from "./signing-key.ts";
import { sizeOr } from "./screen.ts";
import { addSimCommands } from "./sim.ts";
import { addUpCommand } from "./up.ts";
import { addWalletCommands } from "./wallet.ts";
import { addUsageCommands } from "./usage.ts";
import { addWitnessCommand } from "./witness.ts";
import { addVersionCommand, readVersion } from "./version.ts";

const helpHint = "`--help` explains the command";

/** Runs the command that the arguments name and resolves to its exit code. Never rejects. */
export async function runCommandLine(surroundings: Surroundings): Promise<0 | 1 | 2> {
  const printer = new Printer(surroundings);
  let exitCode: 0 | 1 | 2 = 0;
  const context: CommandContext = { surroundings, printer, end: (code) => (exitCode = code) };
  try {
    await createProgram(context).parseAsync([...surroundings.argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const message = error.message.replace(/^error: /, "");
      if (printer.isJson) printer.failure(new CommandFailure("invalid_usage", message, { next: helpHint }));
      return 2;
    }
    const failure = inWords(error);
    if (failure instanceof CommandFailure) printer.failure(failure);
    // A defect: its trace is what a report of it needs.
    else printer.note(failure instanceof Error ? (failure.stack ?? failure.message) : String(failure));
    return 2;
  }
}

/** What a refusal, or a file that cannot be used, is to the operator; other errors stay as they are. */
function inWords(error: unknown): unknown {
  if (error instanceof RefusalError) return failureOf(error.refusal);
  const { path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error) || path === undefined || syscall === undefined) return error;
  return new CommandFailure("unusable_file", error.message, {
    next: `See that ${path} is what the command needs, and open to this user.`,
  });
}

/** Every command with its options; what a command needs is imported when it runs. */
export function createProgram(context: CommandContext): Command {
  const { stdout, stderr } = context.surroundings;
  const program = new Command("bailiwick")
    .description("An AI cloud inside your own borders: open-weight models, metered, with a receipt for every answer.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpCommand("help [command]", "explain a command")
    .showHelpAfterError(context.printer.isJson ? false : `(${helpHint})`)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      // As JSON it is told by whoever ran the command.
      outputError: (text, write) => {
        if (!context.printer.isJson) write(text);
      },
      getOutHelpWidth: () => sizeOr(stdout.columns, 100),
      getErrHelpWidth: () => sizeOr(stderr.columns, 100),
    });
  program.hook("preAction", (_, command) => warnOfPlainHttp(command.opts<{ url?: string }>(), context));
  addUpCommand(program, context);
  addJoinCommand(program, context);
  addHostCommands(program, context);
  addStatusCommand(program, context);
  addDoctorCommand(program, context);
  addModelCommands(program, context);
  addBundleCommands(program, context);
  addOrganisationCommands(program, context);
  addProjectCommands(program, context);
  addKeyCommands(program, context);
  addUsageCommands(program, context);
  addPoolCommand(program, context);
  addReservationCommands(program, context);
  addSimCommands(program, context);
  addPlanCommand(program, context);
  addRateCommand(program, context);
  addPriceBookCommands(program, context);
  addLedgerCommands(program, context);
  addInvoiceCommands(program, context);
  addFocusCommands(program, context);
  addPaperCommands(program, context);
  addWalletCommands(program, context);
  addAlertCommands(program, context);
  addReceiptCommands(program, context);
  addLogCommands(program, context);
  addSigningKeyCommands(program, context);
  addWitnessCommand(program, context);
  addFactsCommands(program, context);
  addPolicyCommands(program, context);
  addDrillCommand(program, context);
  addNetworkCommand(program, context);
  addReportCommands(program, context);
  addOperatorCommands(program, context);
  addAuditCommand(program, context);
  addContentCommands(program, context);
  addGrantCommands(program, context);
  addErasureCommands(program, context);
  addExportCommands(program, context);
  addExitCommands(program, context);
  addBackupCommand(program, context);
  addRestoreCommand(program, context);
  addVersionCommand(program, context);
  refuseContradictions(program);
  return program;
}

/** Of an option that is given twice the last would hold, and nobody would be told that the first is lost. */
function refuseContradictions(command: Command): void {
  for (const option of command.options) {
    if (option.variadic || option.isBoolean()) continue;
    let before: { readonly text: string | null; readonly value: unknown } | undefined;
    command.on(`option:${option.name()}`, (text: string | null) => {
      const value: unknown = command.getOptionValue(option.attributeName());
      if (before !== undefined && text !== before.text && !goesOn(before.value, value)) {
        throw givenTwice(option, before.text, text);
      }
      before = { text, value };
    });
  }
  command.commands.forEach(refuseContradictions);
}

/** Whether an option gathers what it is given: its value is what it was, and more. */
function goesOn(before: unknown, after: unknown): boolean {
  if (!Array.isArray(before) || !Array.isArray(after)) return false;
  return before.every((each, index) => each === after[index]);
}

function givenTwice({ long }: Option, before: string | null, value: string | null): CommandFailure {
  const [first, second] = [before, value].map((each) => (each === null ? "no value" : `"${each}"`));
  return new CommandFailure("invalid_usage", `${long} is given twice: ${first} and ${second}.`, {
    next: `Give ${long} once.`,
  });
}

/** A token that goes to another machine without TLS can be read on the way. */
function warnOfPlainHttp({ url }: { readonly url?: string }, { printer }: CommandContext): void {
  if (url === undefined || !URL.canParse(url)) return;
  const { protocol, hostname } = new URL(url);
  if (protocol !== "http:" || isLoopback(hostname)) return;
  printer.note(`warning: ${hostname} is asked over plain HTTP: the token can be read on the way. Use https://.`);
}
