import type { Ids } from "../base/index.ts";
import { type BooksContext, createPricesInForce } from "../books/index.ts";
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
