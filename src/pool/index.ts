/**
 * pool: which model runs where, and when. Owns the decisions (placement over devices, turns on a device, what is
 * resident, what is refused, what reservations keep free, what is expected by schedule), the choice among hosts, with which
 * of them know a prompt's beginning, and the cost model with what measured turns teach it. Does not own: doing any of it (host),
 * whether a place is permitted (policy), virtual time (sim). Invariants: no clock, no I/O, no chance inside: the same events
 * give the same effects; the work for one event is bounded by devices and the models that have work on one.
 */
export { Pool } from "./pool.ts";
export { beginningsOf, Prefixes } from "./prefixes.ts";
export { isWorthIt, type Outlook, quickest } from "./quickest.ts";
export type { DeviceSurvey, ModelSurvey } from "./survey.ts";
export type { HostEvent } from "./host-events.ts";
export { type Cost, speedOf, usableBytes } from "./cost/cost.ts";
export { type DevicePeaks, estimatedSpeed, type ModelFacts, processorPeaks } from "./cost/estimate.ts";
export { type DeviceType, deviceTypes, findDevice } from "./cost/devices.ts";
export { kvBytesPerToken, type ModelShape, weightsBytes } from "./cost/shape.ts";
export { findShape, modelShapes } from "./cost/shapes.ts";
export { prefillMs, stepMs, stepsMs, stepsWithin } from "./speed.ts";
export { defaultTuning, type Rule, rules, type Tuning } from "./tuning.ts";
export type {
  Effect,
  Fleet,
  Objective,
  PoolDevice,
  PoolEvent,
  PoolModel,
  PoolRequest,
  RefusalReason,
  Reservation,
  Scheduler,
  Speed,
  WorkEvent,
} from "./types.ts";
