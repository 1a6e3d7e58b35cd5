import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { dataOption } from "./connection.ts";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readBounded } from "./read-file.ts";
import { allFacts, readFileStatement } from "./receipt-facts.ts";
import { addGet } from "./receipt-get.ts";
import { addVerify, receiptBytesMax } from "./receipt-verify.ts";
import { fetchProof, fetchReceipt, isReceiptId, type TenantOptions } from "./tenant.ts";

export function addReceiptCommands(program: Command, context: CommandContext): void {
  const group = program.command("receipt").description("receipts: fetch them, read them, and verify them offline");
  addVerify(group, context);
  addShow(group, context);
  addGet(group, context);
}

interface ShowOptions extends JsonOption, TenantOptions {
  readonly proofOut?: string;
}

function addShow(group: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "show what a receipt states: a file's, with no server, or by its id; with --json the statement itself";
  withJson(group.command("show <receipt>").description(description))
    .addOption(dataOption())
    .option("--url <url>", "a cloud elsewhere, instead of the data folder's")
    .option("--api-key-file <file>", "the file that holds the project's key; default: the variable BAILIWICK_KEY")
    .option("--proof-out <file>", "save the proof that it is in the transparency log")
    .action(async (receipt: string, options: ShowOptions) => {
      const isId = isReceiptId(receipt);
      if (options.proofOut !== undefined) {
        if (!isId) {
          throw new CommandFailure("invalid_option", "--proof-out takes a receipt's id: a file has no proof in it.");
        }
        save(resolve(surroundings.currentFolder, options.proofOut), await fetchProof(receipt, options, context));
      }
      const file = isId
        ? Buffer.from(await fetchReceipt(receipt, options, context))
        : readBounded(resolve(surroundings.currentFolder, receipt), receiptBytesMax);
      const { statement, stated } = readFileStatement(file);
      if (options.json === true) return printer.json(statement);
      printer.facts(allFacts(stated));
      return printer.note("This is what the file says; `npx bailiwick receipt verify` finds out whether it holds.");
    });
}

function save(path: string, proof: string): void {
  try {
    writeFileSync(path, proof);
  } catch (error) {
    throw new CommandFailure("unwritable_file", `${path} cannot be written: ${(error as Error).message}`, {
      next: "Name a file that this user may write with --proof-out.",
    });
  }
}
