import type { Ids } from "../base/index.ts";
import { type BooksContext, createPricesInForce, unknownInternal } from "../books/index.ts";
import type { Store } from "../store/index.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import type { BootOptions } from "./options.ts";
import { messageOf } from "./words.ts";

/** What the books are kept with: the price book in force, and what the settings say of bills. */
export async function openLedger(
  options: BootOptions,
  { db }: Pick<Store, "db">,
  ids: Ids,
  stops: Stops,
): Promise<BooksContext> {
  const { settings, clock, log } = options;
  const { internal, lateUsage, ...issuer } = settings.billing;
  const opening = createPricesInForce({
    db,
    clock,
    settings: settings.prices,
    onFailure: (error) =>
      log.warn({ reason: messageOf(error) }, "the price book cannot be confirmed with the database"),
  });
  const prices = await opening.catch((error: unknown) => {
    if (!(error instanceof RangeError)) throw error;
    throw new Failed(`prices: ${error.message}.`, "Name a currency that invoices can be paid in, such as EUR.");
  });
  stops.push(() => prices.close());
  return { db, clock, ids, prices, internal, lateUsage, issuer };
}

const namedMost = 20;

/** Tells whom `billing.internal` names and nobody is: it may be made later, so that it is no reason not to start. */
export async function tellUnknownInternal(ledger: BooksContext, log: Pick<BootOptions["log"], "warn">): Promise<void> {
  try {
    const unknown = await unknownInternal(ledger);
    if (unknown.length === 0) return;
    const what = "billing.internal names organisations that are not there: what they pay is external revenue";
    log.warn({ organisations: unknown.slice(0, namedMost), count: unknown.length }, what);
  } catch (error) {
    log.warn({ reason: messageOf(error) }, "whether the organisations of billing.internal are there is not known");
  }
}
