import { systemClock } from "../../src/base/index.ts";
import { defaultTuning, Pool, type Tuning } from "../../src/pool/index.ts";
import {
  attainment,
  type DeviceCount,
  type Figures,
  Impossible,
  type Outcome,
  parseObjective,
  parseShapes,
  type Prepared,
  prepare,
  readWorkload,
  type Simulated,
  SimulationError,
  simulate,
  summarize,
  type Variant,
  variantsOf,
  type Workload,
} from "../../src/sim/index.ts";
import type { Setting } from "./row.ts";
import { linkGBps, withSwitchCost } from "./switch-costs.ts";
import { Endless, Hopeless, watched } from "./watched.ts";
import { type Extent, isGenerated, sourceOf } from "./workloads.ts";

export interface TrialsOptions {
  readonly setting: Setting;
  readonly extent: Extent;
  readonly load: number;
  readonly traces: string | undefined;
  readonly policy: string;
  readonly tuning: Partial<Tuning> | undefined;
}

export interface Summary {
  readonly figures: Figures;
  readonly outcomes: readonly Outcome[];
  readonly arrivalSeconds: number;
}

/** One policy on one setting: tried on any fleet, with any of the seeds, each once. */
export class Trials {
  readonly failures = new Set<string>();
  readonly #options: TrialsOptions;
  readonly #workloads: readonly Workload[];
  readonly #attained = new Map<string, Attained>();
  /** The latest runs of one set-up, by seed: who reaches it by all seeds is told of next. */
  #latest: { readonly setUp: string; readonly runs: Map<number, TimedRun> } = { setUp: "", runs: new Map() };

  private constructor(options: TrialsOptions, workloads: readonly Workload[]) {
    this.#options = options;
    this.#workloads = workloads;
  }

  static async open(options: TrialsOptions): Promise<Trials> {
    return new Trials(options, await workloadsOf(options));
  }

  get seeds(): number {
    return this.#workloads.length;
  }

  get notes(): readonly string[] {
    return [...new Set(this.#workloads.flatMap(({ notes }) => notes))];
  }

  /** The ways to set the policy up on so many devices; none where it needs more. */
  variants(devices: number): readonly Variant[] {
    const { policy, tuning } = this.#options;
    if (policy === "ours") {
      return [{ name: "ours", create: (fleet) => new Pool(fleet, { ...defaultTuning, ...tuning }) }];
    }
    try {
      return variantsOf(policy, devices);
    } catch (error) {
      if (error instanceof SimulationError) return [];
      throw error;
    }
  }

  /**
   * The share of requests met strictly, or some share below `least` where it is below; 0 where the policy did not come to
   * an end.
   */
  attained(fleet: readonly DeviceCount[], variant: Variant, seed: number, least = 0): number {
    const key = `${setUpOf(fleet, variant)} ${seed}`;
    const known = this.#attained.get(key);
    if (known !== undefined && (known.isExact || known.share < least)) return known.share;
    const attained = this.#attain(fleet, variant, seed, least);
    this.#attained.set(key, attained);
    return attained.share;
  }

  #attain(fleet: readonly DeviceCount[], variant: Variant, seed: number, least: number): Attained {
    const run = this.#run(fleet, variant, seed, least);
    if (run instanceof Hopeless) return { share: run.attainedMost, isExact: false };
    return { share: run === undefined ? 0 : attainment(run.outcomes), isExact: true };
  }

  /** All seeds' figures; undefined where one did not come to an end. */
  summary(fleet: readonly DeviceCount[], variant: Variant): Summary | undefined {
    const runs: TimedRun[] = [];
    for (let seed = 0; seed < this.seeds; seed++) {
      const run = this.#run(fleet, variant, seed, 0);
      if (run === undefined || run instanceof Hopeless) return undefined;
      runs.push(run);
    }
    const arrivalSeconds = runs.reduce((sum, { outcomes }) => sum + (outcomes.at(-1)?.request.atMs ?? 0) / 1000, 0);
    return {
      figures: summarize(runs, devicesOf(fleet)),
      outcomes: runs.flatMap(({ outcomes }) => outcomes),
      arrivalSeconds,
    };
  }

  #run(fleet: readonly DeviceCount[], variant: Variant, seed: number, least: number): TimedRun | Hopeless | undefined {
    const setUp = setUpOf(fleet, variant);
    if (this.#latest.setUp !== setUp) this.#latest = { setUp, runs: new Map() };
    const known = this.#latest.runs.get(seed);
    if (known !== undefined) return known;
    const run = this.#simulate(fleet, variant, seed, least);
    if (run !== undefined && !(run instanceof Hopeless)) this.#latest.runs.set(seed, run);
    return run;
  }

  #simulate(
    fleet: readonly DeviceCount[],
    variant: Variant,
    seed: number,
    least: number,
  ): TimedRun | Hopeless | undefined {
    const prepared = this.#prepare(fleet, seed);
    const startedMs = systemClock.monotonicMs();
    try {
      const scheduler = watched(variant.create(prepared.fleet, prepared.requests), prepared.requests, least);
      // One that others have thought out may get stuck where memory is short; ours may not.
      const run = simulate(prepared.fleet, scheduler, prepared.requests, {
        mayForget: this.#options.policy !== "ours",
      });
      const { forgotten } = run.totals;
      if (forgotten > 0) this.#fail(fleet, variant, seed, `${forgotten} requests were never ended`);
      return { ...run, tookMs: systemClock.monotonicMs() - startedMs };
    } catch (error) {
      if (error instanceof Hopeless) return error;
      if (!(error instanceof Impossible || error instanceof Endless)) throw error;
      this.#fail(fleet, variant, seed, error.message);
      return undefined;
    }
  }

  #fail(fleet: readonly DeviceCount[], variant: Variant, seed: number, message: string): void {
    this.failures.add(`${variant.name}, ${devicesOf(fleet)} devices, seed ${seed + 1}: ${message}`);
  }

  #prepare(fleet: readonly DeviceCount[], seed: number): Prepared {
    const { shapes, objective, switchCost } = this.#options.setting;
    const question = {
      workloads: this.#workloads,
      fleet,
      shapes: parseShapes(shapes),
      objective: parseObjective(objective),
      linkGBps,
    };
    const prepared = prepare(question, this.#workloads[seed]!);
    return { ...prepared, fleet: withSwitchCost(prepared.fleet, switchCost) };
  }
}

interface Attained {
  readonly share: number;
  /** Otherwise it is no more than that. */
  readonly isExact: boolean;
}

interface TimedRun extends Simulated {
  readonly tookMs: number;
}

export async function workloadsOf({
  setting,
  extent,
  load,
  traces,
}: Pick<TrialsOptions, "setting" | "extent" | "load" | "traces">): Promise<readonly Workload[]> {
  const seeds = isGenerated(setting.workload) ? extent.seeds : 1;
  const workloads: Workload[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    workloads.push(await readWorkload(sourceOf(setting.workload, { seed, minutes: extent.minutes, load, traces })));
  }
  return workloads;
}

function setUpOf(fleet: readonly DeviceCount[], variant: Variant): string {
  return `${fleet.map(({ type, count }) => `${count} ${type.id}`).join(" ")} ${variant.name}`;
}

function devicesOf(fleet: readonly DeviceCount[]): number {
  return fleet.reduce((sum, { count }) => sum + count, 0);
}
