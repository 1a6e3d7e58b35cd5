/**
 * host: one machine's device at work, in a process of its own. Owns the engine's process, its queue and turns, the
 * OpenAI routes on its Unix socket, the control channel beside them (hello, counts, acknowledge, lease), and the
 * record of every sequence's counts until the gateway has settled it. Does not own: who may ask, what it costs, the
 * starting and restarting of itself (fabric).
 * Invariants: counts survive the process; text that was sent and tokens counted agree; without a lease nothing new is
 * taken; no prompt is written anywhere.
 */
export type { HostSettings } from "./settings.ts";
export { type HostHello, hostProtocol } from "./wire.ts";
