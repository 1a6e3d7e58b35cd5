import { basename, join } from "node:path";
import type { WorkloadSource } from "../../src/sim/index.ts";

/** What the report asks of a pool. `load` is a factor on the rate: for what is overloaded on purpose. */
export type WorkloadSpec =
  | { readonly kind: "synthetic"; readonly models: number; readonly ratePerSecond: number; readonly how: string }
  | {
      readonly kind: "trace";
      readonly file: string;
      /** To how many models a trace without models is dealt. */
      readonly models?: number;
      /** Requests/s that ServeGen's clients are scaled to; of others the trace's own is taken. */
      readonly ratePerSecond?: number;
      readonly startS?: number;
    };

/** Chance decides nothing in a recorded trace: one seed is all there is. */
export function isGenerated(spec: WorkloadSpec): boolean {
  return spec.kind === "synthetic" || spec.ratePerSecond !== undefined;
}

export interface Extent {
  readonly seeds: number;
  readonly minutes: number;
}

/** A recorded trace is taken as a whole, whatever the minutes. */
export function sourceOf(
  spec: WorkloadSpec,
  { seed, minutes, load, traces }: { seed: number; minutes: number; load: number; traces: string | undefined },
): WorkloadSource {
  if (spec.kind === "synthetic") {
    const rate = Number((spec.ratePerSecond * load).toFixed(6));
    return { workload: `synthetic:${spec.models}x${rate}${spec.how}`, seed, minutes };
  }
  if (traces === undefined) throw new Error(`${spec.file} is a trace: give --traces`);
  const rate = spec.ratePerSecond === undefined ? undefined : spec.ratePerSecond * load;
  return {
    workload: join(traces, spec.file),
    seed,
    minutes: isGenerated(spec) ? minutes : undefined,
    models: spec.models,
    rate,
    startS: spec.startS,
  };
}

/** The files that a trace is read from: ServeGen's lengths are beside its arrivals. */
export function filesOf(spec: WorkloadSpec): readonly string[] {
  if (spec.kind === "synthetic") return [];
  const lengths = spec.file.replace("arrivals.csv", "lengths.jsonl");
  return lengths === spec.file ? [spec.file] : [spec.file, lengths];
}

/** As the command line has it, for who wants to run one row by hand. */
export function optionsOf(spec: WorkloadSpec, { seeds, minutes }: Extent, load = 1): string {
  const { workload, models, rate, startS } = sourceOf(spec, { seed: 1, minutes, load, traces: "DIR" });
  const options = [`--workload ${spec.kind === "trace" ? `DIR/${basename(workload)}` : workload}`];
  if (models !== undefined) options.push(`--deal-to ${models}`);
  if (rate !== undefined) options.push(`--rate ${rate}`);
  if (startS !== undefined) options.push(`--from ${startS}`);
  if (isGenerated(spec)) options.push(`--seeds ${seeds} --minutes ${minutes}`);
  return options.join(" ");
}
