/**
 * sim: the pool under virtual time. Owns the machine (devices, copies, turns, memory), the workloads, the policies that
 * ours is compared with, and what comes out of it. Does not own: deciding (pool), the cost model (pool). Invariants: the
 * same arguments give the same result; what no machine can do is an error, whoever decided it; strict means strict.
 */
export { type Capacity, type CapacityQuestion, findCapacity } from "./capacity.ts";
export { type Experiment, type ExperimentResult, runExperiment } from "./experiment.ts";
export { deviceTypeOf, parseFleet, parseShapes } from "./fleet.ts";
export { parseObjective } from "./objective.ts";
export { SimulationError } from "./problem.ts";
export { policyNames } from "./schedulers.ts";
export { readWorkload, type Workload, WorkloadError } from "./workload/index.ts";
