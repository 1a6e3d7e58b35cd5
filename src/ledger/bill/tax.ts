import type { RatedBook, TaxStanding } from "../book/book.ts";
import type { Period } from "../book/calendar.ts";
import { type Fraction, fraction, multiply, none, round, share } from "../book/fraction.ts";

/** The tax of one bill: on the sum of its rounded lines, rounded once (EN 16931-1, BR-CO-17). */
export interface Tax {
  /** Undefined where nobody has said where the customer is taxed. */
  readonly jurisdiction: string | undefined;
  readonly name: string;
  /** Undefined: the book has no rate there; the amount is then 0, and that is said. */
  readonly percent: Fraction | undefined;
  readonly reverseCharge: boolean;
  /** In minor units. */
  readonly amount: bigint;
}

/** What whoever bills says over the book. */
export interface TaxOptions {
  readonly jurisdiction?: string | undefined;
  readonly taxPercent?: Fraction | undefined;
  readonly reverseCharge?: boolean | undefined;
}

export function taxOf(
  { customer, period, net }: { readonly customer: string; readonly period: Period; readonly net: bigint },
  book: RatedBook,
  options: TaxOptions = {},
): Tax {
  const { jurisdiction, reverseCharge } = standingOf(customer, book, options);
  const rate = rateAt(jurisdiction, period, book);
  const percent = options.taxPercent ?? rate?.percent;
  const due = reverseCharge || percent === undefined ? none : multiply(fraction(net), share(percent));
  return { jurisdiction, name: rate?.name ?? "VAT", percent, reverseCharge, amount: round(due, 0, book.rounding) };
}

function standingOf(
  customer: string,
  book: RatedBook,
  options: TaxOptions,
): Partial<Pick<TaxStanding, "jurisdiction">> & Pick<TaxStanding, "reverseCharge"> {
  const known = book.customers.get(customer);
  const jurisdiction = options.jurisdiction ?? known?.jurisdiction ?? book.jurisdiction;
  const reverseCharge = options.reverseCharge ?? known?.reverseCharge ?? false;
  return jurisdiction === undefined ? { reverseCharge } : { jurisdiction, reverseCharge };
}

/** The rate when the period ends, which is when its services are completed. */
function rateAt(jurisdiction: string | undefined, { endMs }: Period, { taxes }: RatedBook) {
  return taxes
    .filter((rate) => rate.jurisdiction === jurisdiction && rate.fromMs < endMs)
    .toSorted((a, b) => (a.fromMs < b.fromMs ? -1 : 1))
    .at(-1);
}
