import type { Kysely } from "kysely";
import type { Clock, Ids } from "../base/index.ts";
import type { Issuer } from "../invoicing/index.ts";
import type { Database } from "../store/index.ts";
import type { PricesInForce } from "./prices.ts";

/** What the books are kept with. */
export interface BooksContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly prices: PricesInForce;
  /** Organisations that are parts of the operator's own group, by name or id: what they pay is no external revenue. */
  readonly internal: readonly string[];
  /** Who issues invoices, and how they are numbered and paid. */
  readonly issuer: Issuer;
  /** What becomes of usage that other services tell of a closed period. */
  readonly lateUsage: "next-period" | "refuse";
}
