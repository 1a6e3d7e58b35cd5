/**
 * cli: the command line. Owns the commands, their options, what they print and how they end. Does not own what they do:
 * most ask a running cloud over its control API, the others call the room that does it. Invariants: a command imports
 * what it needs when it runs, so that a light one starts fast; an error says its code and what to do next, on standard
 * error; 0 is success, 1 a negative result, 2 a wrong usage or something that could not be done.
 */
export { runCommandLine } from "./program.ts";
export type { Output, Surroundings } from "./surroundings.ts";
