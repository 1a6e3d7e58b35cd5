/**
 * stages: the five verbs of a request, one file each, as request.ts tells them in order. Owns what happens at each:
 * admit (who asks, may they, reserve), place (where it may and shall run), run (bytes from the engine), count (tokens
 * by kind), record (journal and receipt). Does not own: any of the parts they use, which arrive as `Cloud`.
 * Invariants: what admit reserved is given back or settled exactly once; behind the intent every ending is recorded.
 */
export { admit, type Admitted, type RateTaken } from "./admit.ts";
export { type IntentBody, parseIntent, parseSettlement, priceIn, type SettlementBody } from "./bodies.ts";
export { type Answering, type Books, type Call, type Cloud, type Destinations, type Meters, passed } from "./cloud.ts";
export { count, type Counts } from "./count.ts";
export { place, type Placed } from "./place.ts";
export { type Placement, Placements } from "./placement.ts";
export { intend, type Intended } from "./intend.ts";
export { record } from "./record.ts";
export { settle } from "./settle.ts";
export { run } from "./run.ts";
export type { Ran } from "./running.ts";
export { turnAway } from "./turn-away.ts";
