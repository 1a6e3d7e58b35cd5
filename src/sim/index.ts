/**
 * sim: the pool under virtual time. Owns the machine (devices, copies, turns, memory), the workloads, the policies that
 * ours is compared with, and what comes out of it. Does not own: deciding (pool), the cost model (pool). Invariants: the
 * same arguments give the same result; what no machine can do is an error, whoever decided it; strict means strict.
 */
export { isExcluded, lowerBound } from "./bound/index.ts";
export { boundOf, type Capacity, type CapacityQuestion, findCapacity, type Tried } from "./capacity.ts";
export { type Course, courseOf, type CourseWindow, type ModelTtft } from "./course/index.ts";
export {
  type Experiment,
  type ExperimentResult,
  modelsOf,
  prepare,
  type Prepared,
  runExperiment,
} from "./experiment.ts";
export { type Figures, summarize } from "./figures.ts";
export { type MemoryNeed, memoryNeeds, roomBytes, typesWithRoom } from "./homes/index.ts";
export { type DeviceCount, deviceTypeOf, parseFleet, parseShapes } from "./fleet.ts";
export { Impossible } from "./machine.ts";
export { parseObjective } from "./objective.ts";
export type { Outcome, SimulatedRequest } from "./outcome.ts";
export { SimulationError } from "./problem.ts";
export { policyNames, type Variant, variantsOf } from "./schedulers.ts";
export { attainment, simulate, type Simulated } from "./simulate.ts";
export {
  badRow,
  cellWholeNumber,
  type Chance,
  chanceStreams,
  checkRequests,
  csvRows,
  formatLike,
  isRecorded,
  type Place,
  readWorkload,
  readWorkloads,
  tokens,
  type Workload,
  WorkloadError,
  type WorkloadRequest,
  type WorkloadSource,
  wholeNumber,
} from "./workload/index.ts";
