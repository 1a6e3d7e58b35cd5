import type { Calendar } from "./calendar.ts";
import type { ChargeModel } from "./charge.ts";
import type { Fraction, Rounding } from "./fraction.ts";

/** What a SKU costs in one version. Discounts are shares: 1/2 is half the price. */
export interface SkuPrice {
  readonly model: ChargeModel;
  /** Units of each period that cost nothing. */
  readonly freeGrant: Fraction;
  readonly batchDiscount: Fraction;
  readonly offPeakDiscount: Fraction;
  /** What a period in which the SKU was used costs at least. */
  readonly minimum: Fraction;
}

/** Prices that hold from one moment on, up to another. */
export interface BookVersion {
  readonly version: string;
  readonly fromMs: number;
  /** The first millisecond in which it no longer holds; Infinity where it has no end. */
  readonly toMs: number;
  readonly prices: ReadonlyMap<string, SkuPrice>;
}

/** What one customer has agreed on, over the list. */
export interface ContractVersion extends BookVersion {
  readonly contract: string;
  readonly currency: string;
  /** Off what the list prices, not off the contract's own prices. */
  readonly discount: Fraction;
  /** What a period costs at least, all lines together; undefined: nothing was committed. */
  readonly commitment: Fraction | undefined;
}

/** Clock times between which, and weekdays on which, the off-peak discounts hold. */
export interface OffPeak {
  /** Minutes since midnight; undefined: by weekdays only. Where the end is before the start, over midnight. */
  readonly hours: { readonly fromMinute: number; readonly toMinute: number } | undefined;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
}

export interface TaxRate {
  readonly jurisdiction: string;
  readonly name: string;
  readonly percent: Fraction;
  readonly fromMs: number;
}

export interface TaxStanding {
  readonly jurisdiction: string;
  /** The customer owes the tax to its own authority (article 196 of Directive 2006/112/EC): the bill has none. */
  readonly reverseCharge: boolean;
}

export interface RatedBook {
  readonly name: string | undefined;
  /** Of the list: ISO 4217. */
  readonly currency: string;
  readonly calendar: Calendar;
  readonly rounding: Rounding;
  readonly offPeak: OffPeak | undefined;
  /** From the earliest to the latest; no two hold at once. */
  readonly list: readonly BookVersion[];
  /** By customer, likewise. */
  readonly contracts: ReadonlyMap<string, readonly ContractVersion[]>;
  readonly taxes: readonly TaxRate[];
  /** Of customers that `customers` does not name. */
  readonly jurisdiction: string | undefined;
  readonly customers: ReadonlyMap<string, TaxStanding>;
}

/** Whether a moment is off-peak, by what the clock shows then. */
export function isOffPeak({ hours, weekdays }: OffPeak, localMs: number): boolean {
  const local = new Date(localMs);
  if (weekdays.has(local.getUTCDay())) return true;
  if (hours === undefined) return false;
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const { fromMinute, toMinute } = hours;
  return fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute;
}
