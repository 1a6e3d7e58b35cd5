import { decimalOf, type Invoice, type InvoiceLine, type InvoicePeriod, linePeriods } from "../invoicing/index.ts";
import {
  add,
  ceiling,
  compare,
  decimalText,
  divide,
  type Fraction,
  fraction,
  multiply,
  round,
  share,
  subtract,
} from "../ledger/index.ts";
import { billingService, type Service, serviceOf } from "./service.ts";

/** One row, before a version gives it columns. Amounts are decimal strings of 18 decimals at most. */
export interface Charge {
  readonly invoice: Invoice;
  /** null of tax and rounding. */
  readonly line: InvoiceLine | null;
  /** When what it is of was used: a line's own, which of usage that came late is none of the invoice's. */
  readonly period: InvoicePeriod | null;
  readonly category: "Usage" | "Purchase" | "Tax" | "Adjustment";
  readonly description: string;
  readonly service: Service;
  readonly costs: Costs;
  readonly pricing: Pricing | null;
  /** What was metered, of usage that is no correction. */
  readonly consumed: string | null;
}

type LineCharge = Omit<Charge, "period">;

interface Costs {
  readonly billed: string;
  readonly effective: string;
  readonly list: string;
  readonly contracted: string;
}

interface Pricing {
  readonly quantity: string;
  readonly unit: string;
  readonly listUnitPrice: string;
  readonly contractedUnitPrice: string;
}

type LineUsage = NonNullable<InvoiceLine["usage"]>;

const none = fraction(0n);
/** Decimals that columns have. */
const scale = 10n ** 18n;

/**
 * An invoice's rows. Each line's BilledCost is exact, so that lines can be cut and added up; what rounding made of them is
 * a row of its own, and tax another. A credit note's rows are negative, and correct a period that was invoiced before.
 */
export function chargesOf(invoice: Invoice): readonly Charge[] {
  const periodOf = linePeriods(invoice);
  const lines = invoice.lines.map((line) => ({ ...chargeOf(line, invoice), period: periodOf(line) }));
  const net = signed(decimalOf(invoice.totals.net), invoice);
  const rounding = subtract(net, sumOf(lines, "billed"));
  return [...lines, ...roundingOf(rounding, invoice), ...taxOf(lines, invoice)];
}

function chargeOf(line: InvoiceLine, invoice: Invoice): LineCharge {
  if (invoice.kind === "credit-note") return creditOf(line, invoice);
  return line.usage === null ? purchaseOf(line, invoice) : usageOf(line, line.usage, invoice);
}

function usageOf(line: InvoiceLine, usage: LineUsage, invoice: Invoice): LineCharge {
  const service = serviceOf(line.sku);
  const isUsed = service !== billingService;
  const exact = decimalOf(usage.amount);
  const drawn = adjusted(line, "drawn");
  const isDrawn = compare(drawn, none) > 0;
  const billed = !isDrawn ? exact : compare(decimalOf(line.net), none) === 0 ? none : subtract(exact, drawn);
  const cost = costOfDrawn(line);
  const quantity = decimalOf(line.quantity);
  const price = cut(divide(decimalOf(line.price.amount), decimalOf(line.price.baseQuantity)));
  const listPrice = listPriceOf(usage, quantity) ?? price;
  const contracted = subtract(exact, adjusted(line, "minimum"));
  const isDiscounted = compare(adjusted(line, "discount"), none) > 0 && compare(quantity, none) > 0;
  const contractedPrice = isDiscounted
    ? cut(divide(atLeast(contracted), quantity))
    : isAgreed(usage)
      ? price
      : listPrice;
  return {
    invoice,
    line,
    // What was committed to and not used was bought by nobody beforehand: it is asked for once the period is over.
    category: isUsed ? "Usage" : "Adjustment",
    description: line.name,
    service,
    costs: {
      billed: text(billed),
      effective: text(cost === undefined ? exact : add(billed, cost)),
      list: text(multiply(listPrice, quantity)),
      contracted: text(multiply(contractedPrice, quantity)),
    },
    pricing: isUsed
      ? {
          quantity: line.quantity,
          unit: service.unit,
          listUnitPrice: text(listPrice),
          contractedUnitPrice: text(contractedPrice),
        }
      : null,
    consumed: isUsed ? usage.quantity : null,
  };
}

/** Rounded up: a list cost is never below what the list asks. */
function listPriceOf({ listAmount }: LineUsage, quantity: Fraction): Fraction | undefined {
  if (listAmount === undefined || compare(quantity, none) <= 0) return undefined;
  return fraction(ceiling(multiply(divide(decimalOf(listAmount), quantity), fraction(scale))), scale);
}

/** Whether a contract's own price priced it, and not the list's. */
function isAgreed({ contract, priceVersion }: LineUsage): boolean {
  return contract === priceVersion;
}

/** What the credits had cost that paid of a line; undefined where none did, or nobody knows. */
function costOfDrawn({ allowances }: InvoiceLine): Fraction | undefined {
  const cost = allowances.find(({ kind }) => kind === "drawn")?.cost;
  return cost === undefined ? undefined : decimalOf(cost);
}

/** Credits: billed now, and effective where they are used. */
function purchaseOf(line: InvoiceLine, invoice: Invoice): LineCharge {
  const { price, quantity, net, name } = line;
  const bundles = divide(decimalOf(quantity), decimalOf(price.baseQuantity));
  const unit = `${line.unit.slice(0, 1).toUpperCase()}${line.unit.slice(1)}s`;
  return {
    invoice,
    line,
    category: "Purchase",
    description: name,
    service: billingService,
    costs: {
      billed: text(decimalOf(net)),
      effective: "0",
      list: text(decimalOf(net)),
      contracted: text(decimalOf(net)),
    },
    pricing: {
      quantity: text(bundles),
      unit: price.baseQuantity === "1" ? unit : `${price.baseQuantity} ${unit}`,
      listUnitPrice: text(decimalOf(price.amount)),
      contractedUnitPrice: text(decimalOf(price.amount)),
    },
    consumed: null,
  };
}

function creditOf(line: InvoiceLine, invoice: Invoice): LineCharge {
  const service = line.usage === null ? billingService : serviceOf(line.sku);
  const category = line.usage === null ? "Purchase" : service === billingService ? "Adjustment" : "Usage";
  const costs = alike(signed(decimalOf(line.net), invoice));
  return {
    invoice,
    line,
    category,
    description: `Credit: ${line.name}`,
    service,
    // Credits that were bought were effective nowhere yet.
    costs: line.usage === null ? { ...costs, effective: "0" } : costs,
    pricing: null,
    consumed: null,
  };
}

function roundingOf(amount: Fraction, invoice: Invoice): readonly Charge[] {
  if (compare(amount, none) === 0) return [];
  return [{ ...billing(invoice), category: "Adjustment", description: "Rounding of the lines", costs: alike(amount) }];
}

/** Each cost's tax is on that cost; what is billed is the invoice's own. */
function taxOf(lines: readonly Charge[], invoice: Invoice): readonly Charge[] {
  const { tax, totals } = invoice;
  const billed = signed(decimalOf(totals.tax), invoice);
  if (compare(billed, none) === 0) return [];
  const rate = share(decimalOf(tax.percent ?? "0"));
  const on = (cost: keyof Costs): string => text(multiply(sumOf(lines, cost), rate));
  const costs = { billed: text(billed), effective: on("effective"), list: on("list"), contracted: on("contracted") };
  return [{ ...billing(invoice), category: "Tax", description: `${tax.name} ${tax.percent} %`, costs }];
}

function billing(invoice: Invoice): Omit<Charge, "category" | "description" | "costs"> {
  return { invoice, line: null, period: invoice.period, service: billingService, pricing: null, consumed: null };
}

/** A charge that no other one explains costs the same by every measure. */
function alike(amount: Fraction): Costs {
  const same = text(amount);
  return { billed: same, effective: same, list: same, contracted: same };
}

function adjusted({ allowances, charges }: InvoiceLine, kind: string): Fraction {
  return [...allowances, ...charges]
    .filter((adjustment) => adjustment.kind === kind)
    .reduce((sum, { amount }) => add(sum, decimalOf(amount)), none);
}

function sumOf(charges: readonly Charge[], cost: keyof Costs): Fraction {
  return charges.reduce((sum, { costs }) => add(sum, decimalOf(costs[cost])), none);
}

function signed(amount: Fraction, { kind }: Invoice): Fraction {
  return kind === "invoice" ? amount : subtract(none, amount);
}

function atLeast(value: Fraction): Fraction {
  return compare(value, none) < 0 ? none : value;
}

/** To the 18 decimals that columns have. */
function cut(value: Fraction): Fraction {
  return fraction(round(value, 18, "half-up"), scale);
}

function text(value: Fraction): string {
  return decimalText(cut(value));
}
