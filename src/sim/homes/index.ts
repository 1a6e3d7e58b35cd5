/**
 * homes: which of a workload's models a fleet has the memory for. Owns: what each model's requests take, how much room a
 * device has, which known devices have more. Does not own: who runs where (the policies), words (cli). Invariant: what
 * is homeless here is missed under every policy.
 */
export { type MemoryNeed, memoryNeeds, roomBytes, typesWithRoom } from "./homes.ts";
