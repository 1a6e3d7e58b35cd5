import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { BenchOptions } from "./report.ts";

export interface BenchRun extends Omit<BenchOptions, "progress"> {
  readonly names: readonly string[];
  readonly json: boolean;
}

export type BenchAsked =
  | { readonly kind: "run"; readonly run: BenchRun }
  | { readonly kind: "help" }
  /** It cannot be meant; the problem is a sentence. */
  | { readonly kind: "refused"; readonly problem: string };

export function usageOf(benches: readonly string[]): string {
  return (
    `usage: npm run bench -- ${benches.join("|")} [--quick] [--json] [--only NAME,...] [--entries N] [--data DIR]\n` +
    "  --quick    seconds instead of minutes; figures that mean little\n" +
    "  --json     a line of JSON behind each table\n" +
    "  --only     only these of a bench's targets, separated by commas\n" +
    "  --entries  how many entries the log's bench fills its log with, and records the ledger's posts\n" +
    "  --data     the data folder whose model engine and pool run (.bailiwick)\n"
  );
}

/** `root`: the folder beside whose `.bailiwick` nothing has to be said. */
export function parseBenchOptions(args: readonly string[], benches: readonly string[], root: string): BenchAsked {
  try {
    return askedOf(args, benches, root);
  } catch (error) {
    // What `parseArgs` says of an option that it does not know.
    if (error instanceof TypeError) return { kind: "refused", problem: error.message };
    throw error;
  }
}

function askedOf(args: readonly string[], benches: readonly string[], root: string): BenchAsked {
  const { values, positionals: names } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      entries: { type: "string" },
      data: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return { kind: "help" };
  if (names.length === 0) return { kind: "refused", problem: "Say which bench." };
  const unknown = names.filter((name) => !benches.includes(name));
  if (unknown.length > 0) return { kind: "refused", problem: `There is no bench "${unknown.join('", "')}".` };
  const entries = values.entries === undefined ? undefined : Number(values.entries);
  if (!(entries === undefined || entries >= 1)) {
    return { kind: "refused", problem: "--entries is a number, 1 or more." };
  }
  return {
    kind: "run",
    run: {
      names,
      json: values.json,
      quick: values.quick,
      only: values.only?.split(","),
      entries,
      dataFolder: resolve(values.data ?? `${root}/.bailiwick`),
    },
  };
}
