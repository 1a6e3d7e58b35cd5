/**
 * host: one machine's device at work, in a process of its own. Owns the engine's process, doing what the pool decides for it,
 * the OpenAI routes on its Unix socket, the control channel beside them (hello, counts, acknowledge, lease), and the
 * record of every request's counts until the gateway has settled it. Does not own: who may ask, what it costs,
 * OpenAI's shapes (engine/openai), the starting and restarting of itself (fabric).
 * Invariants: counts survive the process; no token reaches a client before its count has reached the kernel; without a
 * lease nothing new is taken; no prompt is written anywhere; a host ends with its parent.
 */
export {
  type HostCounts,
  type HostedModelHello,
  type HostHello,
  type HostLease,
  type HostLeaseAnswer,
  type HostPool,
  type HostPoolModel,
  type HostReservation,
  hostProtocol,
} from "./protocol.ts";
export { type HostSettings } from "./settings.ts";
