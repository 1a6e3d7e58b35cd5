import type { Clock } from "../base/index.ts";
import type { Fleet, ModelShape, Objective } from "../pool/index.ts";
import { buildFleet, type DeviceCount } from "./fleet.ts";
import { type Figures, summarize } from "./figures.ts";
import type { SimulatedRequest } from "./outcome.ts";
import { SimulationError } from "./problem.ts";
import { type Variant, variantsOf } from "./schedulers.ts";
import { attainment, simulate, type Simulated } from "./simulate.ts";
import type { Workload } from "./workload/index.ts";

/** One workload a seed, on one fleet, under one policy. */
export interface Experiment {
  readonly workloads: readonly Workload[];
  readonly fleet: readonly DeviceCount[];
  readonly shapes: readonly ModelShape[];
  readonly policy: string;
  readonly objective: Objective;
  /** Of every device's host link; undefined: as its data sheet says. */
  readonly linkGBps: number | undefined;
  readonly clock: Clock;
  readonly progress?: (text: string) => void;
}

export interface ExperimentResult extends Figures {
  readonly policy: string;
  readonly notes: readonly string[];
}

/** A workload as the pool is asked for it, and what of it cannot be asked. */
export interface Prepared {
  readonly fleet: Fleet;
  readonly requests: readonly SimulatedRequest[];
  readonly notes: readonly string[];
}

export function prepare(experiment: Omit<Experiment, "policy" | "clock">, workload: Workload): Prepared {
  const fleet = buildFleet(experiment.fleet, modelsOf(workload), experiment.shapes, experiment.linkGBps);
  const contexts = new Map(fleet.models.map(({ id, contextTokens }) => [id, contextTokens]));
  const requests: SimulatedRequest[] = [];
  let tooLong = 0;
  for (const [index, request] of workload.requests.entries()) {
    const roomTokens = contexts.get(request.model)! - request.inputTokens;
    if (roomTokens < request.outputTokens) tooLong++;
    else {
      const { atMs, model, tenant, inputTokens, outputTokens } = request;
      const maxOutputTokens = Math.min(roomTokens, Math.max(outputTokens, 4_096));
      const id = `request-${index}`;
      requests.push({
        id,
        atMs,
        model,
        tenant,
        objective: experiment.objective,
        inputTokens,
        outputTokens,
        maxOutputTokens,
      });
    }
  }
  if (requests.length === 0)
    throw new SimulationError(`${workload.name} has no request that fits its models' contexts`);
  const notes = [...workload.notes];
  if (tooLong > 0) notes.push(`${tooLong} requests were left out: longer than their model's context`);
  return { fleet, requests, notes };
}

/** In the order in which they are given shapes. */
export function modelsOf({ requests }: Workload): readonly string[] {
  return [...new Set(requests.map(({ model }) => model))].sort(byName);
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

/** Runs it for every seed; of a policy that can be set up in several ways, the one that is best over all seeds. */
export function runExperiment(experiment: Experiment): ExperimentResult {
  const prepared = experiment.workloads.map((workload) => prepare(experiment, workload));
  const devices = experiment.fleet.reduce((sum, { count }) => sum + count, 0);
  // One that others have thought out may get stuck where memory is short; ours may not.
  const isOthers = experiment.policy !== "ours";
  let best: { readonly variant: Variant; readonly runs: readonly TimedRun[]; readonly attained: number } | undefined;
  for (const variant of variantsOf(experiment.policy, devices)) {
    const runs = prepared.map((each, index) => {
      const run = timed(experiment.clock, () =>
        simulate(each.fleet, variant.create(each.fleet, each.requests), each.requests, { mayForget: isOthers }),
      );
      experiment.progress?.(
        `${variant.name}, seed ${index + 1} of ${prepared.length}: ${percent(attainment(run.outcomes))}`,
      );
      return run;
    });
    const attained = mean(runs.map(({ outcomes }) => attainment(outcomes)));
    if (best === undefined || attained > best.attained) best = { variant, runs, attained };
  }
  const { variant, runs } = best!;
  const notes = [...new Set(prepared.flatMap((each) => each.notes))];
  const forgotten = runs.reduce((sum, { totals }) => sum + totals.forgotten, 0);
  if (forgotten > 0) notes.push(`${forgotten} requests were never ended, and count as missed: the policy got stuck`);
  return { policy: variant.name, ...summarize(runs, devices), notes };
}

export interface TimedRun extends Simulated {
  readonly tookMs: number;
}

function timed(clock: Clock, run: () => Simulated): TimedRun {
  const startedMs = clock.monotonicMs();
  return { ...run(), tookMs: clock.monotonicMs() - startedMs };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} % met`;
}
