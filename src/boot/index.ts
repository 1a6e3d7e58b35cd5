/**
 * boot: the one composition root. Owns the order in which a cloud, or a host that joins one, comes up and goes down, and the few lines that join
 * one room to another. Does not own: anything that could be decided or kept elsewhere.
 * Invariants: what was started is stopped, in reverse, also where a later step fails; who asks before all is up is told so;
 * a key is made only where it can be shown.
 */
export { boot, type BootFailure, type BootStopped, type RunningCloud } from "./boot.ts";
export type { FirstKey } from "./first-tenants.ts";
export { joinCloud, type JoinOptions, type RunningHost } from "./join.ts";
export type { BootOptions } from "./options.ts";
export { restoreBackup, type RestoreResult } from "./restore.ts";
