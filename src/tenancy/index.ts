/**
 * tenancy: who is who. Owns organisations, their projects and keys, the limits that each carries, the directory that
 * answers for a key without asking anybody, and the rate limits. Does not own: budgets (ledger), where data may go
 * (policy), the tables (store).
 * Invariants: a key's secret is stored nowhere and shown once; a child never holds more than its parent; a revoked key
 * stops within a second; while the database is away the settings say which data is still served.
 */
export { createDirectory, type Directory } from "./directory.ts";
export type { Holder, ScopeLimits } from "./holder.ts";
export { createTenancy, type Tenancy } from "./operations.ts";
export type { Retention } from "./rules.ts";
export { RateLimits, type RateTaken } from "./rate-limits.ts";
