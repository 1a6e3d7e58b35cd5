import type { Invoice } from "../invoicing/index.ts";
import { Calendar } from "../ledger/index.ts";
import type { Charge } from "./charges.ts";
import { meterOf, modelOf } from "./service.ts";

/** Versions of FOCUS: 1.4 names providers otherwise, and lines of invoices. */
export type FocusVersion = "1.2" | "1.4";

export interface Column {
  readonly name: string;
  readonly type: "string" | "decimal" | "datetime";
  readonly of: (charge: Charge) => string | null;
}

/** In FOCUS' order, which is the alphabet's, and behind them our own. */
export function columnsOf(version: FocusVersion): readonly Column[] {
  const named = [...shared, ...(version === "1.2" ? until13 : from13)];
  return [...named.toSorted(({ name: a }, { name: b }) => (a < b ? -1 : 1)), ...own];
}

const string = (name: string, of: Column["of"]): Column => ({ name, type: "string", of });
const decimal = (name: string, of: Column["of"]): Column => ({ name, type: "decimal", of });
const datetime = (name: string, of: Column["of"]): Column => ({ name, type: "datetime", of });

const seller = ({ invoice }: Charge): string => invoice.seller.name;
const isPriced = ({ category }: Charge): boolean => category === "Usage" || category === "Purchase";

const shared: readonly Column[] = [
  decimal("BilledCost", ({ costs }) => costs.billed),
  string("BillingAccountId", ({ invoice }) => invoice.customer),
  string("BillingAccountName", ({ invoice }) => invoice.buyer.name),
  string("BillingCurrency", ({ invoice }) => invoice.currency),
  datetime("BillingPeriodEnd", ({ invoice }) => billingPeriod(invoice).end),
  datetime("BillingPeriodStart", ({ invoice }) => billingPeriod(invoice).start),
  string("ChargeCategory", ({ category }) => category),
  string("ChargeClass", ({ invoice }) => (invoice.kind === "credit-note" ? "Correction" : null)),
  string("ChargeDescription", ({ description }) => description),
  string("ChargeFrequency", ({ category }) => (category === "Usage" ? "Usage-Based" : "One-Time")),
  datetime("ChargePeriodEnd", (charge) => chargePeriod(charge).end),
  datetime("ChargePeriodStart", (charge) => chargePeriod(charge).start),
  // Rules of ConsumedQuantity look at it; commitments here are money, and discount nothing.
  string("CommitmentDiscountStatus", () => null),
  decimal("ConsumedQuantity", ({ consumed }) => consumed),
  string("ConsumedUnit", ({ consumed, service }) => (consumed === null ? null : service.unit)),
  decimal("ContractedCost", ({ costs }) => costs.contracted),
  decimal("ContractedUnitPrice", ({ pricing }) => pricing?.contractedUnitPrice ?? null),
  decimal("EffectiveCost", ({ costs }) => costs.effective),
  string("InvoiceId", ({ invoice }) => invoice.number),
  string("InvoiceIssuerName", seller),
  decimal("ListCost", ({ costs }) => costs.list),
  decimal("ListUnitPrice", ({ pricing }) => pricing?.listUnitPrice ?? null),
  string("PricingCategory", (charge) => (isPriced(charge) ? "Standard" : null)),
  decimal("PricingQuantity", ({ pricing }) => pricing?.quantity ?? null),
  string("PricingUnit", ({ pricing }) => pricing?.unit ?? null),
  string("ServiceCategory", ({ service }) => service.category),
  string("ServiceName", ({ service }) => service.name),
  string("ServiceSubcategory", ({ service }) => service.subcategory),
  string("SkuId", ({ line }) => line?.sku ?? null),
  string("SkuMeter", ({ line }) => (line === null ? null : meterOf(line.sku))),
  string("SkuPriceDetails", () => null),
  string("SkuPriceId", ({ line }) => (line === null ? null : `${line.sku}@${line.usage?.priceVersion ?? "purchase"}`)),
];

const until13: readonly Column[] = [string("ProviderName", seller), string("PublisherName", seller)];

const from13: readonly Column[] = [
  string("HostProviderName", seller),
  string("InvoiceDetailId", ({ invoice, line }) => (line === null ? null : `${invoice.number}/${line.id}`)),
  string("ServiceProviderName", seller),
];

const own: readonly Column[] = [
  string("x_CreditedInvoiceId", ({ invoice }) => invoice.preceding?.number ?? null),
  string("x_InvoiceLine", ({ line }) => line?.id ?? null),
  string("x_Model", ({ line }) => (line === null ? null : modelOf(line.sku).model)),
  string("x_PriceVersion", ({ line }) => line?.usage?.priceVersion ?? null),
  string("x_TokenKind", ({ line }) => (line === null ? null : modelOf(line.sku).tokenKind)),
];

interface Between {
  readonly start: string;
  readonly end: string;
}

/** What an invoice is of; a credit note, and credits that are bought, belong to the month in which they were issued. */
function billingPeriod({ kind, period, issueDate, timeZone }: Invoice): Between {
  if (kind === "invoice" && period !== null) return chargePeriodOf(period);
  const [year = 0, month = 1] = issueDate.split("-").map(Number);
  return localBetween(Date.UTC(year, month - 1), Date.UTC(year, month), timeZone);
}

function chargePeriod({ period, invoice: { issueDate, timeZone } }: Charge): Between {
  if (period !== null) return chargePeriodOf(period);
  const startMs = Date.parse(`${issueDate}T00:00:00Z`);
  return localBetween(startMs, startMs + 86_400_000, timeZone);
}

/** From one midnight to another, given as those of UTC, by the clock by which the invoice's days are told. */
function localBetween(startMs: number, endMs: number, timeZone = "UTC"): Between {
  const calendar = new Calendar(timeZone, "month");
  return { start: instant(calendar.instantMs(startMs)), end: instant(calendar.instantMs(endMs)) };
}

function chargePeriodOf({ startsAt, endsAt }: NonNullable<Invoice["period"]>): Between {
  return { start: instant(Date.parse(startsAt)), end: instant(Date.parse(endsAt)) };
}

/** With whole seconds, as FOCUS' DateTimeFormat has it. */
function instant(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}
