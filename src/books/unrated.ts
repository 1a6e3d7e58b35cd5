import { refuse, type Refusal, RefusalError, refusing } from "../base/index.ts";
import { AllTerms, canBeUsed, type Quantity } from "../ledger/index.ts";
import {
  countUnrated,
  findSettled,
  findUnrated,
  type List,
  type Page,
  setDropped,
  setRated,
  type UnratedRow,
} from "../store/index.ts";
import { accrue, hold } from "./accruing.ts";
import type { BooksContext } from "./context.ts";
import { noNext } from "./cursors.ts";

/** What waits for a price, or for somebody who knows its quantity, or what was written off; the oldest first. */
export async function unrated(
  { db }: BooksContext,
  { limit, after }: Page,
  { isDropped = false }: { readonly isDropped?: boolean } = {},
): Promise<List<UnratedRow> | Refusal> {
  const behind = after === undefined ? 0 : Number(after);
  if (!Number.isSafeInteger(behind)) return noNext();
  const rows = await findUnrated(db, { after: behind, limit: limit + 1, isDropped });
  return { items: rows.slice(0, limit), next: rows.length > limit ? String(rows[limit - 1]!.number) : null };
}

export interface RatedLater {
  readonly rated: number;
  /** All that still waits for a price or a quantity, whichever was asked for. */
  readonly left: number;
}

const atOnce = 10_000;

/**
 * Rates what has a price by now, as if it came at this moment: what is of a closed period is billed with the next one. `quantity`, in units
 * of 10^-9: of the one that is named, where nobody had counted; nothing of it is billed where that is 0.
 */
export async function rateUnrated(
  context: BooksContext,
  {
    number,
    quantity,
    reference,
  }: { readonly number?: number; readonly quantity?: Quantity; readonly reference: string },
): Promise<RatedLater | Refusal> {
  return refusing(async () => {
    let [rated, looked] = [0, 0];
    for (let after = 0; ;) {
      const done = await context.db.transaction().execute(async (transaction) => {
        const held = await hold(context, transaction);
        const rows = await findUnrated(transaction, {
          after,
          limit: atOnce,
          isLocked: true,
          ...(number && { number }),
        });
        if (quantity !== undefined) refuseCounted(rows, quantity);
        const terms = new AllTerms(held.book);
        const ready = rows.flatMap((row) => {
          const known = row.quantity ?? quantity;
          const has = typeof terms.price(terms.at(row.organisation, row.atMs), row.sku) !== "string";
          return known !== undefined && (has || known === 0n) ? [{ ...row, quantity: known as Quantity }] : [];
        });
        const events = ready
          .filter((row) => row.quantity > 0n)
          .map(({ organisation, sku, atMs, quantity, isBatch, events }) => ({
            customer: organisation,
            sku,
            atMs,
            quantity,
            isBatch,
            events,
          }));
        await accrue(context, transaction, { events, reference, held, isRefusable: true });
        await setRated(transaction, ready, context.clock.nowMs());
        return {
          rated: ready.length,
          looked: rows.length,
          last: rows.length < atOnce ? undefined : rows.at(-1)!.number,
        };
      });
      rated += done.rated;
      looked += done.looked;
      if (number !== undefined && looked === 0) return noNumber(context, number);
      if (done.last === undefined) return { rated, left: await countUnrated(context.db) };
      after = done.last;
    }
  });
}

/** What somebody has counted is billed as it was counted, or not at all; and nobody counts parts of tokens. */
function refuseCounted(rows: readonly UnratedRow[], told: Quantity): void {
  const parted = rows.find(({ sku }) => !canBeUsed(sku, told));
  if (parted !== undefined) {
    const message = `Number ${parted.number} is of ${parted.sku}: tokens are whole.`;
    throw new RefusalError(refuse("invalid_request", message, { param: "quantity" }));
  }
  const counted = rows.find(({ quantity }) => quantity !== undefined);
  if (counted === undefined) return;
  const message = `Number ${counted.number} has a quantity: it waits for a price (${counted.reason}). What is never to be billed is dropped.`;
  throw new RefusalError(refuse("invalid_request", message, { param: "quantity" }));
}

/** Whoever asks once more, because no answer came, hears that it was done. */
async function noNumber({ db }: Pick<BooksContext, "db">, number: number): Promise<Refusal> {
  const settled = await findSettled(db, number);
  if (settled === undefined)
    return refuse("not_found", `Nothing unrated has the number ${number}.`, { param: "number" });
  const { at, quantity, dropped } = settled;
  const done =
    dropped === undefined ? `rated, with a quantity of ${quantity}` : `dropped by ${dropped.by}: ${dropped.reason}`;
  const message = `Number ${number} waits no more: at ${at.toISOString()} it was ${done}`;
  return refuse("not_found", message.replace(/\.?$/, "."), { param: "number" });
}

/** Writes off what is never to be billed, for a reason; it is told as that from then on, with what it was. */
export async function dropUnrated(
  { db, clock }: BooksContext,
  { number, reason, by }: { readonly number: number; readonly reason: string; readonly by: string },
): Promise<UnratedRow | Refusal> {
  return db.transaction().execute(async (transaction) => {
    const [row] = await findUnrated(transaction, { number, after: 0, limit: 1, isLocked: true });
    if (row === undefined) return noNumber({ db: transaction }, number);
    const dropped = { at: new Date(clock.nowMs()), by, reason };
    await setDropped(transaction, number, dropped);
    return { ...row, dropped };
  });
}
