import { type Refusal, refuse } from "../../base/index.ts";
import { decimalText, fraction, multiply, round, share, type Tax } from "../../ledger/index.ts";
import type { TaxBreakdown } from "./invoice.ts";
import { decimalOf } from "./money.ts";
import type { Exemption } from "./parties.ts";
import type { Party } from "./party.ts";

/** How an invoice is taxed, before its amounts are known. */
export type Taxation = Omit<TaxBreakdown, "taxable" | "amount">;

export type TaxStanding = Pick<Tax, "jurisdiction" | "name" | "percent" | "reverseCharge">;

interface Sides {
  readonly seller: Party;
  readonly buyer: Party;
  readonly exemption: Exemption | undefined;
}

/** The category of UNTDID 5305; refused where what the law asks for in that case is not known. */
export function taxationOf(tax: TaxStanding, sides: Sides): Taxation | Refusal {
  const taxation = categoryOf(tax, sides.exemption);
  if ("outcome" in taxation) return taxation;
  const missing = missingOf(taxation, sides);
  return missing === undefined ? taxation : refuse("invoice_incomplete", missing);
}

/** The category alone, whoever sells and buys. */
export function categoryOf(
  { jurisdiction, name, percent, reverseCharge }: TaxStanding,
  exemption: Exemption | undefined,
): Taxation | Refusal {
  const base = { name, jurisdiction: jurisdiction ?? null };
  if (reverseCharge) {
    return { ...base, category: "AE", percent: "0", reason: "Reverse charge", reasonCode: "VATEX-EU-AE" } as const;
  }
  if (exemption?.category === "O") {
    return { ...base, category: "O", percent: null, reason: exemption.reason, reasonCode: "VATEX-EU-O" } as const;
  }
  if (exemption?.category === "E") {
    return { ...base, category: "E", percent: "0", reason: exemption.reason, reasonCode: null } as const;
  }
  if (percent === undefined) {
    const message = "No rate of tax is known for this customer, and no exemption is named.";
    return refuse("invoice_incomplete", message);
  }
  const category = percent.numerator === 0n ? "Z" : "S";
  return { ...base, category, percent: decimalText(percent), reason: null, reasonCode: null } as const;
}

/** BR-AE-02, BR-S-02 and their like, and BR-CO-26, for which no tax registration is enough. */
export function missingOf(
  { category }: Taxation,
  { seller, buyer }: Pick<Sides, "seller" | "buyer">,
): string | undefined {
  if (category === "O") {
    return seller.legalRegistration === undefined
      ? "Outside the scope of the tax the seller is named by its legalRegistration, which is missing."
      : undefined;
  }
  if (seller.vatId === undefined && seller.taxRegistration === undefined) {
    return "The seller has neither a vatId nor a taxRegistration.";
  }
  if (seller.vatId === undefined && seller.legalRegistration === undefined) {
    return "The seller has neither a vatId nor a legalRegistration.";
  }
  if (category !== "AE" || buyer.vatId !== undefined || buyer.legalRegistration !== undefined) return undefined;
  return "With reverse charge the buyer owes the tax: its vatId (or legalRegistration) is missing.";
}

/** BR-CO-17, in minor units: the taxable amount times the rate, rounded once. */
export function taxOn(net: bigint, { category, percent }: Pick<Taxation, "category" | "percent">): bigint {
  if (category !== "S" || percent === null) return 0n;
  return round(multiply(fraction(net), share(decimalOf(percent))), 0, "half-up");
}
