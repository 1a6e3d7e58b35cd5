import { refuse, RefusalError } from "../base/index.ts";
import { AllTerms, type Period, type RatedBook, type Terms, type UsageSum } from "../ledger/index.ts";
import type { SumKey, SumRow } from "../store/index.ts";

/** No price holds before it: ECMAScript's first moment. */
const alwaysMs = -8_640_000_000_000_000;

/** From when on terms hold, as the table has it; its numbers have no infinity. */
export function termsFromOf({ fromMs }: Pick<Terms, "fromMs">): number {
  return fromMs === -Infinity ? alwaysMs : fromMs;
}

/** The period on whose bill usage stands: its own, or the first open one where that is closed. */
export function billedInOf(period: Period, book: RatedBook, closedUntilMs: number | undefined): Period {
  return closedUntilMs !== undefined && period.startMs < closedUntilMs ? book.calendar.periodAt(closedUntilMs) : period;
}

export function keyOf({
  billedIn,
  organisation,
  sku,
  period,
  termsFrom,
}: Omit<SumKey, "organisation"> & { readonly organisation: string }): string {
  return `${billedIn}\n${organisation}\n${sku}\n${period}\n${termsFrom}`;
}

/** Whether two rows are of the same usage, billed at different times. */
export function isSameUse(a: SumKey, b: SumKey): boolean {
  return a.organisation === b.organisation && a.sku === b.sku && a.period === b.period && a.termsFrom === b.termsFrom;
}

type Quantities = Pick<SumRow, "quantity" | "batch" | "offPeak" | "events">;

/** A sum with the quantities of rows, all of the same usage. */
export function sumFrom(rows: readonly Quantities[], sum: Omit<UsageSum, keyof Quantities>): UsageSum {
  const total = (of: (row: Quantities) => bigint): bigint => rows.reduce((all, row) => all + of(row), 0n);
  return {
    ...sum,
    quantity: total(({ quantity }) => quantity),
    batch: total(({ batch }) => batch),
    offPeak: total(({ offPeak }) => offPeak),
    events: rows.reduce((all, { events }) => all + events, 0),
  };
}

/** Rows of one period as sums that can be priced; those of one use are one. */
export function usageSums(rows: readonly SumRow[], book: RatedBook): readonly UsageSum[] {
  const terms = new AllTerms(book);
  const groups = Map.groupBy(rows, ({ organisation, sku, termsFrom }) => `${organisation}\n${sku}\n${termsFrom}`);
  return [...groups.values()].map((some) => {
    const { organisation, sku, period, termsFrom } = some[0]!;
    const held = terms.at(organisation, termsFrom);
    const found = terms.price(held, sku);
    if (typeof found === "string") {
      const message = `${organisation} used ${sku} in ${period}, and the price book has no price of it any more.`;
      throw new RefusalError(refuse("price_missing", message));
    }
    return sumFrom(some, { customer: organisation, sku, period: book.calendar.periodOf(period)!, terms: held, found });
  });
}
