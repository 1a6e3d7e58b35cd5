/**
 * plan: which devices to have. Owns price lists, the reading of usage exports, templates (what a few devices carry), the
 * integer program over them and its solver, and the reasons that come with an answer. Does not own: the pool's decisions
 * and speeds (pool), the simulation and the lower bound (sim), what devices cost (the operator's list). Invariants: a
 * fleet is told only after the simulator has met the objective with it, for every seed; the same arguments give the same
 * plan; money is bigint, and nothing an operator writes of exports is interpreted; simulations are bounded in number.
 */
export { makePlan, type Plan } from "./plan.ts";
export type { PlanQuestion } from "./question.ts";
export { type PriceList, readPriceList } from "./price-list.ts";
export { PlanError } from "./problem.ts";
export { readReservations } from "./reservation-list.ts";
export type { FleetReport } from "./report.ts";
export { createSolver } from "./solver/solver.ts";
export { parseStandIns } from "./usage/stand-ins.ts";
export { readUsage, usageFormats } from "./usage/usage.ts";
