import type { DeviceType } from "../pool/index.ts";
import { lowerBound } from "./bound/index.ts";
import { type Experiment, type ExperimentResult, prepare, runExperiment } from "./experiment.ts";
import { SimulationError } from "./problem.ts";

export interface CapacityQuestion extends Omit<Experiment, "fleet"> {
  readonly device: DeviceType;
  /** Share of requests to be met strictly, by every seed. */
  readonly attainment: number;
  /** More are not tried. */
  readonly devicesMax: number;
}

interface Search {
  /** Nobody reaches it with fewer, whoever decides (docs/reference/pool-bound.md). */
  readonly bound: number;
  /** Fewest first. */
  readonly tried: readonly Tried[];
}

export type Capacity =
  | (Search & {
      readonly outcome: "reached";
      /** The fewest at which every seed reaches it. */
      readonly accelerators: number;
      readonly ratio: number;
      /** With so many. */
      readonly result: ExperimentResult;
    })
  | (Search & {
      readonly outcome: "unreached";
      /** The most that were tried. */
      readonly most: number;
      /** With so many. */
      readonly result: ExperimentResult;
    });

/** What the search saw with so many. */
export interface Tried {
  readonly accelerators: number;
  /** Undefined: the policy does not work with so few. */
  readonly attainmentPerSeed: readonly number[] | undefined;
}

/** Doubles until every seed reaches it, then halves what is between: as if more devices never did worse. */
export function findCapacity(question: CapacityQuestion): Capacity {
  const { attainment, devicesMax } = question;
  const results = new Map<number, ExperimentResult | undefined>();
  const reaches = (devices: number): boolean => {
    const result = runAt(question, devices);
    results.set(devices, result);
    return result?.attainmentPerSeed.every((share) => share >= attainment) ?? false;
  };
  const searched = (): Search => ({ bound: boundOf(question), tried: triedOf(results) });
  let failing = 0;
  let reaching = 1;
  while (!reaches(reaching)) {
    failing = reaching;
    if (failing === devicesMax)
      return { outcome: "unreached", most: failing, result: results.get(failing)!, ...searched() };
    reaching = Math.min(2 * reaching, devicesMax);
  }
  while (reaching - failing > 1) {
    const middle = Math.floor((reaching + failing) / 2);
    if (reaches(middle)) reaching = middle;
    else failing = middle;
  }
  const search = searched();
  const found = { accelerators: reaching, ratio: reaching / search.bound, result: results.get(reaching)! };
  return { outcome: "reached", ...found, ...search };
}

function triedOf(results: ReadonlyMap<number, ExperimentResult | undefined>): readonly Tried[] {
  const tried = [...results].map(([accelerators, result]) => {
    return { accelerators, attainmentPerSeed: result?.attainmentPerSeed };
  });
  return tried.sort((a, b) => a.accelerators - b.accelerators);
}

/** Of the seed that needs most: each has to be served. */
export function boundOf(question: Omit<CapacityQuestion, "policy" | "devicesMax">): number {
  const fleet = [{ type: question.device, count: 1 }];
  const bounds = question.workloads.map((workload) => {
    const prepared = prepare({ ...question, fleet }, workload);
    return lowerBound(prepared.fleet, prepared.requests, question.attainment).accelerators;
  });
  return Math.max(...bounds);
}

/** Undefined: the policy needs more devices than that, and more may be tried. */
function runAt(question: CapacityQuestion, count: number): ExperimentResult | undefined {
  question.progress?.(`${count} ${question.device.name}`);
  try {
    return runExperiment({ ...question, fleet: [{ type: question.device, count }] });
  } catch (error) {
    if (error instanceof SimulationError && count === 1 && question.devicesMax > 1) return undefined;
    throw error;
  }
}
