/**
 * telemetry: what operators watch: metrics in Prometheus' format under OpenTelemetry's GenAI names, and structured
 * logs. Does not own: usage for money (journal, ledger), traces.
 * Invariants: no prompt, answer, key or token of a client is ever in a log or a label; labels are bounded in number.
 */
export { createLog, type Log } from "./log.ts";
export { createMeters, type EndedRequest, type Gauges, type RequestMeters } from "./meters.ts";
export type { PoolOfHost, ReservedShare } from "./pool-meters.ts";
