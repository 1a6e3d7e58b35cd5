/**
 * destinations: where a request can run, as the gateway sees it: host processes of this machine and others, and the operator's own
 * servers behind one interface. Owns the list, and the gateway's side of the host protocol for one request (its
 * headers, its counts, its acknowledgement), and what each host last told of its pool. Does not own: starting hosts (fabric), choosing among them (policy, pool).
 * Invariants: a host's counts are acknowledged only after their settlement is durable.
 */
export { HostSilent } from "./host-silent.ts";
export { HostDestination, type HostReach } from "./host-destination.ts";
export { DestinationList } from "./list.ts";
