/**
 * doctor: what this machine has and what to do about what is missing: accelerators, CPU, memory, disk, engine builds or
 * the program that serves instead, PostgreSQL, Python, the models' sources, whether whom the settings name is there. Owns the questions, how the makers' tools'
 * answers are read, and the report. Does not own: acting on any of it, and the command that prints it (cli).
 * Invariants: looking changes nothing; every program is called by its arguments, for a bounded time, with its output
 * bounded; a tool that is absent, broken or answers nonsense is a finding, never an exception.
 */
export { inspectMachine } from "./inspect.ts";
export { type Accelerator, type DoctorReport, type Finding, renderDoctor } from "./report.ts";
export { type DoctorWorld, thisMachine } from "./world.ts";
