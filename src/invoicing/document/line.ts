import {
  add,
  ceiling,
  compare,
  decimalText,
  type Fraction,
  fraction,
  moneyText,
  multiply,
  subtract,
  unitOf,
} from "../../ledger/index.ts";
import type { Adjustment, InvoiceLine, LineUsage } from "./invoice.ts";
import type { BilledLine } from "./read-bill.ts";
import { costAt, isUnpriced, priceOf, roundedUp } from "./price.ts";
import { showable } from "./text.ts";

const none = fraction(0n);

/** UN/ECE Recommendation 20: it has seconds; of tokens, seats and GiB-hours it knows "one". */
const unitCodes: Readonly<Record<string, string>> = { second: "SEC" };

/** A line before it has its place in an invoice. */
export type DraftLine = Omit<InvoiceLine, "id">;

/** What of a line was paid by credits that were bought before, in minor units, and what those had cost, where that is known. */
export interface DrawnPart {
  readonly drawn: bigint;
  readonly cost: Fraction | undefined;
}

export function billedLine(line: BilledLine, { drawn, cost }: DrawnPart, receipts: string | null): DraftLine {
  const { sku, currency, rounded } = line;
  const unit = unitOf(sku);
  const quantity = subtract(line.quantity, line.free);
  const kept = add(subtract(line.amount, line.raised), line.discount);
  const cut = line.cut ?? none;
  const price = priceOf({ full: kept, cut, quantity, unit, currency });
  // What was cut off may be what a half was rounded by, and a buyer's program computes with the price.
  const full = compare(cut, none) > 0 && price.isExact ? costAt(price, quantity) : kept;
  const adjusted = isUnpriced({ full: kept, quantity })
    ? differenceOf(line)
    : adjustmentsOf(line, roundedUp(full, currency));
  const taken = money("drawn", "Drawn from prepaid credits", drawn, currency).map((each) =>
    cost === undefined ? each : { ...each, cost: decimalText(cost) },
  );
  return {
    sku,
    name: nameOf(sku),
    note: noteOf(line, price.isExact),
    quantity: decimalText(quantity),
    unitCode: unitCodes[unit ?? ""] ?? "C62",
    unit: unit ?? "unit",
    price,
    allowances: [...adjusted.allowances, ...taken],
    charges: adjusted.charges,
    net: moneyText(rounded - drawn, currency),
    usage: usageOf(line, listAmountOf(line, { kept, quantity, isExact: price.isExact }), receipts),
    credits: null,
  };
}

/** What lies between a price times a quantity and what is owed: the discounts, and what reaches the minimum. */
function adjustmentsOf(line: BilledLine, full: bigint): Pick<InvoiceLine, "allowances" | "charges"> {
  const { currency, rounded, discount } = line;
  const raised = compare(line.raised, none) > 0 ? roundedUp(line.raised, currency) : 0n;
  const off = full + raised - rounded;
  const allowance = off > 0n ? off : 0n;
  const charge = raised - (off < 0n ? off : 0n);
  const isDiscounted = compare(discount, none) > 0;
  return {
    allowances: isDiscounted
      ? money("discount", discountText(line), allowance, currency)
      : money("rounding", "Rounding", allowance, currency),
    charges: money("minimum", "Minimum charge", charge, currency),
  };
}

/** "Discount (batch, contract acme-2026)": what it is for, as far as the bill says. */
function discountText({ discountFor, contract }: BilledLine): string {
  const reasons = discountFor.map((reason) =>
    reason === "contract" && contract !== undefined ? `contract ${contract.contract}` : reason,
  );
  return reasons.length === 0 ? "Discount" : showable(`Discount (${reasons.join(", ")})`);
}

/** What late usage makes of earlier usage, where it has no price of its own: all of it is taken off, or put on. */
function differenceOf({ rounded, currency }: BilledLine): Pick<InvoiceLine, "allowances" | "charges"> {
  return {
    allowances: rounded < 0n ? money("late", "Less for earlier usage", -rounded, currency) : [],
    charges: rounded > 0n ? money("late", "More for earlier usage", rounded, currency) : [],
  };
}

function money(kind: Adjustment["kind"], reason: string, units: bigint, currency: string): readonly Adjustment[] {
  return units === 0n ? [] : [{ kind, reason, amount: moneyText(units, currency) }];
}

/** Of a contract's own price what the list has beside it; of the list's, where units had several, what they cost together. */
function listAmountOf(
  { contract, priceVersion, listed }: BilledLine,
  { kept, quantity, isExact }: { readonly kept: Fraction; readonly quantity: Fraction; readonly isExact: boolean },
): string | undefined {
  const isOwn = contract !== undefined && priceVersion === `${contract.contract}/${contract.version}`;
  const amount = isOwn ? listed : isExact ? undefined : kept;
  // What late usage takes back has no price.
  if (amount === undefined || compare(amount, none) < 0 || compare(quantity, none) <= 0) return undefined;
  return decimalText(fraction(ceiling(multiply(amount, fraction(scale))), scale));
}

const scale = 10n ** 18n;

function usageOf(line: BilledLine, listAmount: string | undefined, receipts: string | null): LineUsage {
  const { customer, period, sku, contract, priceVersion, quantity, free, amount, residual } = line;
  return {
    customer,
    period: period.name,
    sku,
    priceVersion,
    contract: contract === undefined ? null : `${contract.contract}/${contract.version}`,
    quantity: decimalText(quantity),
    freeQuantity: decimalText(free),
    amount: decimalText(amount),
    residual: decimalText(residual),
    ...(listAmount !== undefined && { listAmount }),
    receipts,
  };
}

function noteOf({ quantity, free, priceVersion }: BilledLine, isExact: boolean): string {
  const parts = [
    `Prices ${priceVersion}`,
    ...(compare(free, none) > 0 ? [`used ${decimalText(quantity)}, of them ${decimalText(free)} free`] : []),
    ...(isExact ? [] : ["the price is the average over what was used"]),
  ];
  return `${parts.join("; ")}.`;
}

/** "qwen3-32b/input-tokens" as people read it. */
function nameOf(sku: string): string {
  const at = sku.lastIndexOf("/");
  const words = sku.slice(at + 1).replaceAll("-", " ");
  return showable(at === -1 ? sku : `${sku.slice(0, at)}: ${words}`);
}

/** Credits that are bought before they are used: one line, priced as a whole, because few prices of one have an end. */
export function purchasedLine(purchase: Purchase): DraftLine {
  const { sku, name, quantity, amount, currency } = purchase;
  return {
    sku,
    name,
    note: null,
    quantity,
    unitCode: "C62",
    unit: purchase.unit,
    price: { amount: moneyText(amount, currency), baseQuantity: quantity, isExact: true },
    allowances: [],
    charges: [],
    net: moneyText(amount, currency),
    usage: null,
    credits: null,
  };
}

/** What is sold as it is, without usage: credits of a wallet. */
export interface Purchase {
  readonly customer: string;
  readonly sku: string;
  readonly name: string;
  /** A decimal string above 0. */
  readonly quantity: string;
  readonly unit: string;
  readonly currency: string;
  /** In minor units, before tax. */
  readonly amount: bigint;
}
