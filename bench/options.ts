import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { nearest } from "../src/base/index.ts";
import type { Bench, BenchOptions } from "./report.ts";

/** What has to be known of a bench to ask for it. */
type Named = Pick<Bench, "name" | "targets">;

export interface BenchRun extends Omit<BenchOptions, "progress"> {
  readonly names: readonly string[];
  readonly json: boolean;
}

export type BenchAsked =
  | { readonly kind: "run"; readonly run: BenchRun }
  | { readonly kind: "help" }
  /** It cannot be meant; the problem is a sentence. */
  | { readonly kind: "refused"; readonly problem: string };

export function usageOf(benches: readonly Named[]): string {
  const targets = benches.flatMap((bench) => {
    const each = targetsOf(bench);
    return each.length === 0 ? [] : [`${bench.name}: ${each.join(", ")}`];
  });
  return (
    `usage: npm run bench -- ${namesOf(benches).join("|")} [--quick] [--json] [--only NAME,...] [--entries N] [--data DIR]\n` +
    "  --quick    seconds instead of minutes; figures that mean little\n" +
    "  --json     a line of JSON behind each table\n" +
    "  --only     only these of a bench's targets, separated by commas\n" +
    `             (${targets.join("; ")})\n` +
    "  --entries  how many entries the log's bench fills its log with, and records the ledger's posts\n" +
    "  --data     the data folder whose model engine and pool run (.bailiwick)\n"
  );
}

/** `root`: the folder beside whose `.bailiwick` nothing has to be said. */
export function parseBenchOptions(args: readonly string[], benches: readonly Named[], root: string): BenchAsked {
  try {
    return askedOf(args, benches, root);
  } catch (error) {
    const problem = optionProblem(error);
    if (problem !== undefined) return { kind: "refused", problem };
    throw error;
  }
}

const options = {
  json: { type: "boolean", default: false },
  quick: { type: "boolean", default: false },
  only: { type: "string" },
  entries: { type: "string" },
  data: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

function askedOf(args: readonly string[], benches: readonly Named[], root: string): BenchAsked {
  const { values, positionals: names } = parseArgs({ args: [...args], allowPositionals: true, options });
  if (values.help === true) return { kind: "help" };
  if (names.length === 0) return { kind: "refused", problem: "Say which bench." };
  const known = namesOf(benches);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return { kind: "refused", problem: `There is no bench "${unknown.join('", "')}". There are ${known.join(", ")}.` };
  }
  const only = values.only?.split(",");
  const problem =
    only &&
    onlyProblem(
      only,
      benches.filter(({ name }) => names.includes(name)),
    );
  if (problem !== undefined) return { kind: "refused", problem };
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
      only,
      entries,
      dataFolder: resolve(values.data ?? `${root}/.bailiwick`),
    },
  };
}

const namesOf = (benches: readonly Named[]): readonly string[] => benches.map(({ name }) => name);
const targetsOf = ({ targets = [] }: Named): readonly string[] => targets;

/** What is wrong with the targets that are asked for: one that there is not, or a bench of which nothing is left. */
function onlyProblem(only: readonly string[], benches: readonly Named[]): string | undefined {
  const choosing = benches.filter((bench) => targetsOf(bench).length > 0);
  if (choosing.length === 0) return `--only: ${namesOf(benches).join(", ")} has no targets to choose from.`;
  const known = choosing.flatMap(targetsOf);
  const unknown = only.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const [close] = unknown.flatMap((name) => nearest(name, known) ?? []);
    const suggestion = close === undefined ? "" : ` Did you mean ${close}?`;
    const there = choosing.map((bench) => `${targetsOf(bench).join(", ")} (${bench.name})`).join("; ");
    return `--only: there is no target "${unknown.join('", "')}".${suggestion} There are ${there}.`;
  }
  const empty = choosing.find((bench) => !targetsOf(bench).some((name) => only.includes(name)));
  return empty && `--only leaves nothing of ${empty.name}: it has ${targetsOf(empty).join(", ")}.`;
}

/** What an argument is that `parseArgs` cannot take, in our own words; undefined: it is something else that failed. */
function optionProblem(error: unknown): string | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message: string };
  const [, option = ""] = /'(?:-\w, )?(--?[\w-]+)/.exec(message) ?? [];
  switch (code) {
    case "ERR_PARSE_ARGS_UNKNOWN_OPTION": {
      const close = nearest(option.replace(/^-+/, ""), Object.keys(options));
      return `There is no option ${option}.${close === undefined ? "" : ` Did you mean --${close}?`}`;
    }
    case "ERR_PARSE_ARGS_INVALID_OPTION_VALUE":
      return message.includes("does not take an argument") ? `${option} takes no value.` : `${option} needs a value.`;
    default:
      return undefined;
  }
}
