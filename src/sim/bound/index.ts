/**
 * bound: what no scheduler can beat. Owns the fewest accelerators that a workload needs, whoever schedules it with
 * whatever foresight, and whether a fleet is too small for it. Does not own: any schedule (pool, policies). Invariant:
 * too low is allowed, too high never. docs/reference/pool-bound.md has the argument.
 */
export { isExcluded } from "./excluded.ts";
export { type Bound, lowerBound } from "./lower-bound.ts";
