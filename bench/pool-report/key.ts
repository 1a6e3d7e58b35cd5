import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./row.ts";
import { filesOf } from "./workloads.ts";

/** Whose row it is, as far as code matters: a change of the pool must not let every baseline run again. */
export type Family = "ours" | "baseline" | "bound";

const machine = [
  "src/sim/*.ts",
  "src/sim/workload/*.ts",
  "src/pool/cost/*.ts",
  "src/pool/speed.ts",
  "src/pool/types.ts",
];
const measuring = ["measure", "row", "search", "switch-costs", "trials", "watched", "workloads"].map(
  (name) => `bench/pool-report/${name}.ts`,
);

/** What each family's results depend on. */
const sources: Readonly<Record<Family, readonly string[]>> = {
  ours: [...machine, ...measuring, "src/pool/*.ts"],
  baseline: [...machine, ...measuring, "src/sim/policies/*.ts"],
  bound: [...machine, ...measuring, "src/sim/bound/*.ts"],
};

/** Which decide nothing: tests, and lists of what a folder has. `capacity.ts` is the command line's search, not ours. */
const isWithout = (path: string): boolean => /(\.test|\/index|\/testing|sim\/capacity)\.ts$/.test(path);

export type Digests = Readonly<Record<Family, string>>;

/** Read once: threads load the code at about the same time, and what is edited later is not what they run. */
export function digestSources(root: string): Digests {
  const texts = new Map<string, string>();
  const read = (path: string): string => {
    const known = texts.get(path) ?? readFileSync(join(root, path), "utf8");
    texts.set(path, known);
    return known;
  };
  const digest = (patterns: readonly string[]): string => {
    const paths = [...new Set(patterns.flatMap((pattern) => globSync(pattern, { cwd: root })))];
    const kept = paths.filter((path) => !isWithout(path)).sort();
    if (kept.length < patterns.length)
      throw new Error(`${root} does not have the sources of the pool and the simulator`);
    return hash(JSON.stringify(kept.map((path) => [path, read(path)])));
  };
  return { ours: digest(sources.ours), baseline: digest(sources.baseline), bound: digest(sources.bound) };
}

export function familyOf(row: Row): Family {
  if (row.kind === "bound") return "bound";
  return row.policy === "ours" ? "ours" : "baseline";
}

/** The same inputs and the same code give the same key. A row's name changes nothing of its result. */
export function keyOf(row: Row, digests: Digests, traceDigest: (file: string) => string): string {
  const { name: _, ...inputs } = row;
  const traces = filesOf(row.setting.workload).map(traceDigest);
  return hash(JSON.stringify([sorted(inputs), traces, digests[familyOf(row)]])).slice(0, 24);
}

/** Digests of a folder's files, each read once. */
export function traceDigests(folder: string): (file: string) => string {
  const known = new Map<string, string>();
  return (file) => {
    const digest = known.get(file) ?? hash(readFileSync(join(folder, file)));
    known.set(file, digest);
    return digest;
  };
}

/** Members in order of their names, all the way down. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return members.map(([name, member]) => [name, sorted(member)]);
}

function hash(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}
