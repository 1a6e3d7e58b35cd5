/**
 * fabric: starts what runs beside the gateway. Owns the host processes on this machine: spawning, hello, lease (which
 * takes there what is reserved, and brings back what the pool does), restart with backoff, stopping. Does not own: what a host does (host), where requests go (destinations).
 * Invariants: a host outlives neither its parent nor its lease; a host that dies comes back, ever more slowly while it
 * keeps dying; nothing of the parent's environment reaches it but what it is given.
 */
export { type HostProcess, type HostState, startHost, type StartHostOptions } from "./host-process.ts";
