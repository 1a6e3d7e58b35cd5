import type { Bill } from "../bill/bill.ts";
import type { Tax } from "../bill/tax.ts";
import { compare, fraction, multiply, none } from "../book/fraction.ts";
import { breakageAccount, revenueAccount, taxAccount } from "../entry/accounts.ts";
import { added, ledgerAmount, ledgerUnits, type Movement } from "../entry/postings.ts";
import type { Grant } from "./grant.ts";
import { recognised } from "./recognition.ts";

/** What is paid for credits is owed in services; its tax is due now. Minor units. */
export function purchase(paid: bigint, tax: Tax, currency: string): readonly Movement[] {
  const units = (minor: bigint): bigint => ledgerUnits(minor, currency);
  return added([
    { account: "receivables", currency, amount: units(paid + tax.amount) },
    { account: "contract-liabilities", currency, amount: -units(paid) },
    { account: taxAccount(tax.jurisdiction), currency, amount: -units(tax.amount) },
  ]);
}

/** What the use of credits earns, and what follows of breakage, in units of 10^-12: the growth of both, each rounded in its sum alone. */
export function earned(before: readonly Grant[], after: readonly Grant[]) {
  const sum = (grants: readonly Grant[], of: "ofUse" | "ofBreakage"): bigint =>
    grants.reduce((all, grant) => all + ledgerAmount(recognised(grant)[of]), 0n);
  return {
    ofUse: sum(after, "ofUse") - sum(before, "ofUse"),
    ofBreakage: sum(after, "ofBreakage") - sum(before, "ofBreakage"),
  };
}

/**
 * Credits pay for a bill: nobody owes that part any more. It has earned what the credits cost, so what the bill has as revenue
 * beyond that goes back, from each account in proportion. `drawn`: how many credits, in units of 10^-12.
 */
export function drawing(
  bill: Bill,
  drawn: bigint,
  { before, after, isInternal }: { before: readonly Grant[]; after: readonly Grant[]; isInternal: boolean },
): readonly Movement[] {
  const { currency } = bill;
  const { ofUse, ofBreakage } = earned(before, after);
  return added([
    { account: "contract-liabilities", currency, amount: ofUse + ofBreakage },
    { account: breakageAccount(isInternal), currency, amount: -ofBreakage },
    ...spread(bill, drawn - ofUse, isInternal),
    { account: "receivables", currency, amount: -drawn },
  ]);
}

/** Takes an amount from a bill's revenue, of each account what its part of the bill is; the last one has the rest. */
function spread({ lines, net, currency }: Bill, amount: bigint, isInternal: boolean): readonly Movement[] {
  const parts = new Map<string, bigint>();
  for (const { sku, rounded } of lines) {
    const account = revenueAccount(sku, isInternal);
    parts.set(account, (parts.get(account) ?? 0n) + rounded);
  }
  let rest = amount;
  return [...parts].map(([account, part], index) => {
    const isLast = index === parts.size - 1;
    const share = isLast
      ? rest
      : ledgerAmount(
          multiply(fraction(amount, 10n ** 12n), fraction(ledgerUnits(part, currency), ledgerUnits(net, currency))),
        );
    rest -= share;
    return { account, currency, amount: share };
  });
}

/** Credits that can no longer be used: what was paid for them and is not revenue yet is breakage. */
export function lapsing(
  before: readonly Grant[],
  after: readonly Grant[],
  { currency, isInternal }: { readonly currency: string; readonly isInternal: boolean },
): readonly Movement[] {
  const { ofUse, ofBreakage } = earned(before, after);
  return added([
    { account: "contract-liabilities", currency, amount: ofUse + ofBreakage },
    { account: breakageAccount(isInternal), currency, amount: -(ofUse + ofBreakage) },
  ]);
}

/** What is owed in services of grants. Units of 10^-12. */
export function liabilityOf(grants: readonly Grant[]): bigint {
  return grants
    .filter(({ paid }) => compare(paid, none) > 0)
    .reduce((sum, grant) => {
      const { ofUse, ofBreakage } = recognised(grant);
      return sum + ledgerAmount(grant.paid) - ledgerAmount(ofUse) - ledgerAmount(ofBreakage);
    }, 0n);
}
