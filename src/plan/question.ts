import type { ModelShape, Objective } from "../pool/index.ts";
import type { DeviceCount, Workload } from "../sim/index.ts";
import type { PriceList } from "./price-list.ts";
import type { Solver } from "./solver/solver.ts";

/** What is promised, of which models. */
export interface Terms {
  /** By a workload's names of models. */
  readonly shapes: ReadonlyMap<string, ModelShape>;
  readonly objective: Objective;
  /** Share of requests to be met strictly, by every seed. */
  readonly attainment: number;
  /** Of every device's host link; undefined: as its data sheet says. */
  readonly linkGBps: number | undefined;
}

export interface PlanQuestion extends Terms {
  /** One a seed. */
  readonly workloads: readonly Workload[];
  /** How long each is, so that its price is that of the whole time; undefined: until its last request. */
  readonly plannedMs: number | undefined;
  readonly prices: PriceList;
  /** Devices that tenants have to themselves. */
  readonly reserved: readonly DeviceCount[];
  /** Countries whose devices are not wanted. */
  readonly excludedOrigins: readonly string[];
  readonly solver: Solver;
  readonly progress?: (text: string) => void;
}
