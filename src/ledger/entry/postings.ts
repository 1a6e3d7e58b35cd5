import { parseAmount } from "../../base/index.ts";
import type { Bill } from "../bill/bill.ts";
import { minorUnitDecimals } from "../book/currency.ts";
import { fixedText, type Fraction, round } from "../book/fraction.ts";
import { revenueAccount, taxAccount } from "./accounts.ts";

/** A debit above 0, a credit below; in units of 10^-12 of its currency. */
export interface Movement {
  readonly account: string;
  readonly currency: string;
  readonly amount: bigint;
}

/** An exact amount as the ledger has it, in units of 10^-12: half of the last one goes to the even neighbour. */
export function ledgerAmount(amount: Fraction): bigint {
  return round(amount, 12, "half-even");
}

/** Minor units of a currency as the ledger has them. */
export function ledgerUnits(minor: bigint, currency: string): bigint {
  return minor * 10n ** BigInt(12 - minorUnitDecimals(currency)!);
}

/** A part of what usage has come to, and whose revenue it is. */
export interface Accrued {
  readonly sku: string;
  readonly currency: string;
  readonly amount: bigint;
  readonly isInternal: boolean;
}

/** What usage has come to since the last time: not yet on an invoice. */
export function accrual(amounts: readonly Accrued[]): readonly Movement[] {
  return added(
    amounts.flatMap(({ sku, currency, amount, isInternal }) => [
      { account: "unbilled-receivables", currency, amount },
      { account: revenueAccount(sku, isInternal), currency, amount: -amount },
    ]),
  );
}

/**
 * What was accrued of a bill's lines is not unbilled any more: revenue goes back by what its lines were rounded to, which the bill
 * posts anew, and what rounding took away, or added, to an account of its own. So revenue stays exact.
 */
export function reversal(bill: Bill, isInternal: boolean): readonly Movement[] {
  return added(
    bill.lines.flatMap(({ sku, currency, amount, rounded }) => {
      const exact = ledgerAmount(amount);
      const billed = ledgerUnits(rounded, currency);
      return [
        { account: revenueAccount(sku, isInternal), currency, amount: billed },
        { account: "rounding-residual", currency, amount: exact - billed },
        { account: "unbilled-receivables", currency, amount: -exact },
      ];
    }),
  );
}

/** What an invoice posts: what is owed, what was earned by product, and what is owed on in tax. */
export function billing(bill: Bill, isInternal: boolean): readonly Movement[] {
  const { currency, gross, tax, lines } = bill;
  const owed = { account: "receivables", currency, amount: ledgerUnits(gross, currency) };
  const earned = lines.map(({ sku, rounded }) => ({
    account: revenueAccount(sku, isInternal),
    currency,
    amount: -ledgerUnits(rounded, currency),
  }));
  const due = { account: taxAccount(tax.jurisdiction), currency, amount: -ledgerUnits(tax.amount, currency) };
  return added([owed, ...earned, due]);
}

/** The tax of an invoice whose rate was not known when it was posted. Minor units. */
export function taxing({
  currency,
  tax,
  jurisdiction,
}: {
  readonly currency: string;
  readonly tax: bigint;
  readonly jurisdiction: string | undefined;
}): readonly Movement[] {
  const amount = ledgerUnits(tax, currency);
  return added([
    { account: "receivables", currency, amount },
    { account: taxAccount(jurisdiction), currency, amount: -amount },
  ]);
}

/** Parts of an invoice that are taken back, with their tax. Minor units. */
export function crediting(credit: {
  readonly currency: string;
  readonly taken: readonly { readonly account: string; readonly net: bigint }[];
  readonly tax: bigint;
  readonly jurisdiction: string | undefined;
}): readonly Movement[] {
  const { currency, taken, tax, jurisdiction } = credit;
  const gross = taken.reduce((sum, { net }) => sum + net, tax);
  return added([
    ...taken.map(({ account, net }) => ({ account, currency, amount: ledgerUnits(net, currency) })),
    { account: taxAccount(jurisdiction), currency, amount: ledgerUnits(tax, currency) },
    { account: "receivables", currency, amount: -ledgerUnits(gross, currency) },
  ]);
}

/** What a customer has paid of an invoice; below 0: what went back. Minor units. */
export function paying(paid: bigint, currency: string): readonly Movement[] {
  const amount = ledgerUnits(paid, currency);
  return added([
    { account: "cash", currency, amount },
    { account: "receivables", currency, amount: -amount },
  ]);
}

/** One movement for each account and currency, in the order in which they came; those that come to nothing are none. */
export function added(movements: readonly Movement[]): readonly Movement[] {
  const sums = new Map<string, Movement>();
  for (const movement of movements) {
    const key = `${movement.account}\n${movement.currency}`;
    sums.set(key, { ...movement, amount: (sums.get(key)?.amount ?? 0n) + movement.amount });
  }
  return [...sums.values()].filter(({ amount }) => amount !== 0n);
}

/** A decimal string in minor units of a currency; undefined where it is none, or has more decimals than can be paid. */
export function minorAmount(text: string, currency: string): bigint | undefined {
  const amount = parseAmount(text);
  const unit = 10n ** BigInt(12 - minorUnitDecimals(currency)!);
  return amount === undefined || amount % unit !== 0n ? undefined : amount / unit;
}

/** With all the decimals that its currency has. */
export function minorText(minor: bigint, currency: string): string {
  return fixedText(minor, minorUnitDecimals(currency)!);
}
