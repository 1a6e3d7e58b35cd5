/**
 * reservations: what tenants have to themselves for a time: a whole device, or a share of the pool's capacity. Owns making,
 * listing and ending them, their metered hours, and which are active at the moment. Does not own: what the pool does with
 * them (pool), which devices there are (destinations), the table and its constraints (store), prices (ledger).
 * Invariants: one device is reserved for one tenant at a time; shares leave a part of the pool for everybody else; hours
 * over consecutive periods add up to the whole; who listens hears of each change of what is active once, within a second
 * of its being written, and of those that time alone makes when they are due.
 */
export { type ActiveReservation, type ActiveReservations, createActiveReservations } from "./active.ts";
export { createReservations, type Reservations } from "./operations.ts";
export type { Serving } from "./shut-out.ts";
