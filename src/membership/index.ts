/**
 * membership: which machines are hosts of this cloud, and of which site. Owns join tokens (single use, expiring, bound
 * to a site), the table of joined hosts with their keys and addresses, who hears of its changes, and what a joining
 * machine and a gateway say to one another. Does not own: keys and connections (tls), what a site is (policy), polling
 * hosts (fabric), placing requests there.
 * Invariants: of a token only a digest is kept; a token makes one host; a host's site is its token's and never what the
 * host says; a key that was revoked never comes back.
 */
export { type Announcement, askToJoin, type Joined } from "./asking.ts";
export { type JoinListener, listenForHosts } from "./listener.ts";
export { createMembers, type Member, type Members } from "./members.ts";
export { createMembership, type Membership, type MembershipOptions } from "./membership.ts";
export { type HostTold, type HostTokenMade, type HostTokenTold } from "./told.ts";
export { formatJoinToken, parseJoinToken } from "./token.ts";
