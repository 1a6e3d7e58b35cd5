/**
 * workload: what is asked of a simulated fleet: who asks which model for how much, and when.
 *
 * Owns: synthetic workloads by a text that describes them, the readers of public traces, and what each had to leave out,
 * map or assume (`notes`). Does not own: the traces, the models' sizes and speeds, service tiers, the simulation.
 *
 * Invariants: the same source and seed give the same requests; requests are in order of time and have at least one
 * token each way; a row that cannot be meant stops the reading, with its line.
 */
export { type Chance, chanceStreams } from "./chance.ts";
export { csvRows } from "./csv-rows.ts";
export { isRecorded, readWorkload, readWorkloads, type WorkloadSource } from "./format.ts";
export { badRow, cellWholeNumber, type Place, tokens, wholeNumber } from "./place.ts";
export { formatLike } from "./signs.ts";
export { checkRequests, type Workload, WorkloadError, type WorkloadRequest } from "./workload.ts";
