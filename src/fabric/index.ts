/**
 * fabric: starts what runs beside the gateway, and keeps up with what runs elsewhere. Owns the host processes on this
 * machine: spawning, hello, lease (which takes there what is reserved, and brings back what the pool does), restart with
 * backoff, stopping; and for those on other machines hello and lease alone, with how far their clocks are off. Does not
 * own: what a host does (host), connections to other machines (tls), where requests go (destinations).
 * Invariants: a host outlives neither its parent nor its lease; a host that dies comes back, ever more slowly while it
 * keeps dying; nothing of the parent's environment reaches it but what it is given.
 */
export { type HostProcess, type HostState, startHost, type StartHostOptions } from "./host-process.ts";
export { parseHello } from "./told.ts";
export { poll, type Poll, type PollOptions } from "./poll.ts";
