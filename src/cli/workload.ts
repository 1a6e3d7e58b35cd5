import type { Command } from "commander";
import { CommandFailure } from "./failure.ts";

/** The options that say which workload. */
export interface WorkloadOptions {
  readonly workload: string;
  readonly format?: string;
  readonly map?: string;
  readonly dealTo?: number;
  readonly rate?: number;
  readonly from?: number;
  readonly seeds: number;
  readonly minutes: number;
}

/** What the workload's models are, in turn, where nothing is said. */
export const usualModels = "qwen2.5-7b";

export async function workloadsOf(options: WorkloadOptions) {
  const { workload, map, dealTo, rate, from, seeds, minutes } = options;
  const { readWorkloads } = await import("../sim/index.ts");
  const format = isSynthetic(options) ? undefined : options.format;
  const workloads = await readWorkloads({ workload, format, map, models: dealTo, rate, startS: from, seeds, minutes });
  return workloads.map((each) => ({ ...each, notes: each.notes.map((note) => ofAllSeeds(note, workloads.length)) }));
}

/** It is described, and read from no file. */
export function isSynthetic({ workload }: Pick<WorkloadOptions, "workload">): boolean {
  return workload.startsWith("synthetic:");
}

/** Notes that differ in the seed only become the same, so that they stand once. */
function ofAllSeeds(note: string, seeds: number): string {
  return seeds === 1 ? note : note.replace(/ by seed \d+/, ` by seeds 1 to ${seeds}`);
}

/** Options among these that were given, as they were typed: a default is nobody's wish. */
export function given(command: Command, names: readonly string[]): readonly string[] {
  return names.filter((name) => command.getOptionValueSource(name) === "cli").map((name) => `--${name}`);
}

/** That options mean nothing is said and no error: scripts give them with every workload. */
export function withoutMeaning(options: readonly string[], reason: string): readonly string[] {
  if (options.length === 0) return [];
  return [`${options.join(" and ")} ${options.length === 1 ? "means" : "mean"} nothing here: ${reason}`];
}

/** Notes on options that mean nothing for this workload: a recorded trace is the same every time. */
export async function replayNotes(options: WorkloadOptions, command: Command): Promise<readonly string[]> {
  if (isSynthetic(options)) return withoutMeaning(given(command, ["format"]), "a synthetic workload is no file");
  const unused = given(command, ["seeds", "minutes"]);
  if (unused.length === 0) return [];
  const { isRecorded } = await import("../sim/index.ts");
  return (await isRecorded(options))
    ? withoutMeaning(unused, "a recorded trace is replayed once, from beginning to end")
    : [];
}

/** What the simulator calls these options in its messages. */
const optionsByName: ReadonlyMap<string, string> = new Map([
  ["workload", "--workload"],
  ["format", "--format"],
  ["map", "--map"],
  ["models", "--deal-to"],
  ["rate", "--rate"],
  ["startS", "--from"],
]);

/** A message in the words of the command line: who typed an option knows no field. */
function inOptions(message: string): string {
  const [, name = "", rest] = /^(\w+)(: .*)$/s.exec(message) ?? [];
  const option = optionsByName.get(name);
  return option === undefined ? message : `${option}${rest}`;
}

/** What cannot be simulated or planned is told as any other failure of a command; `next` says where to look. */
export async function told<Result>(run: () => Promise<Result>, next: string): Promise<Result> {
  const { SimulationError, WorkloadError } = await import("../sim/index.ts");
  const { PlanError } = await import("../plan/index.ts");
  try {
    return await run();
  } catch (error) {
    if (error instanceof SimulationError || error instanceof WorkloadError || error instanceof PlanError) {
      throw new CommandFailure("invalid_usage", inOptions(error.message), { next });
    }
    throw error;
  }
}
