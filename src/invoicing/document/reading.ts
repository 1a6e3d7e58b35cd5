import { z } from "zod";
import { documentProblems, type MemberProblem } from "../../base/index.ts";
import { isTimeZone, minorUnitDecimals } from "../../ledger/index.ts";
import { isDay } from "./days.ts";
import type { Invoice } from "./invoice.ts";
import { amountsOf, wrongIn } from "./issue.ts";
import { minorUnits } from "./money.ts";
import { party, payment } from "./party.ts";

const text = z.string().max(2_000);
/** What is exact has the decimals of its price, its quantity and each discount one behind the other: at most 12, 9, and 14 of each. */
const decimal = z.string().regex(/^-?\d{1,30}(\.\d{1,100})?$/, 'must be a decimal string, such as "1912.73"');
const day = z.string().refine(isDay, 'must be a day, such as "2026-04-01"');
const instant = z.iso.datetime();

const period = z.strictObject({ name: text, startDate: day, endDate: day, startsAt: instant, endsAt: instant });

const adjustment = z.strictObject({
  kind: z.enum(["discount", "drawn", "late", "minimum", "rounding"]),
  reason: text,
  amount: decimal,
  cost: decimal.optional(),
});

const usage = z.strictObject({
  customer: text,
  period: text,
  sku: text,
  priceVersion: text,
  contract: text.nullable(),
  quantity: decimal,
  freeQuantity: decimal,
  listAmount: decimal.optional(),
  amount: decimal,
  residual: decimal,
  receipts: text.nullable(),
});

const line = z.strictObject({
  id: text,
  sku: text,
  name: text,
  note: text.nullable(),
  quantity: decimal,
  unitCode: text,
  unit: text,
  price: z.strictObject({ amount: decimal, baseQuantity: decimal, isExact: z.boolean() }),
  allowances: z.array(adjustment).max(100),
  charges: z.array(adjustment).max(100),
  net: decimal,
  usage: usage.nullable(),
  credits: text.nullable(),
});

const tax = z.strictObject({
  category: z.enum(["S", "Z", "E", "AE", "O"]),
  name: text,
  jurisdiction: text.nullable(),
  percent: decimal.nullable(),
  reason: text.nullable(),
  reasonCode: text.nullable(),
  taxable: decimal,
  amount: decimal,
});

const totals = z.strictObject({ net: decimal, tax: decimal, gross: decimal, prepaid: decimal, payable: decimal });

const invoice = z.strictObject({
  kind: z.enum(["invoice", "credit-note"]),
  number: text,
  currency: text.refine((code) => minorUnitDecimals(code) !== undefined, "must be a currency of ISO 4217"),
  issueDate: day,
  dueDate: day.nullable(),
  timeZone: text.refine(isTimeZone, "must be a time zone such as Europe/Paris").optional(),
  period: period.nullable(),
  customer: text,
  seller: party,
  buyer: party,
  buyerReference: text.nullable(),
  purchaseOrder: text.nullable(),
  payment: payment.nullable(),
  terms: text.nullable(),
  note: text.nullable(),
  preceding: z.strictObject({ number: text, issueDate: day }).nullable(),
  lines: z.array(line).min(1).max(1_000_000),
  tax,
  totals,
});

export type ReadInvoice =
  | { readonly outcome: "read"; readonly invoice: Invoice }
  /** At least one problem, at most 50. */
  | { readonly outcome: "invalid"; readonly problems: readonly MemberProblem[] };

const knownKeys = [invoice, line, usage, tax, totals, period, adjustment, party, payment].flatMap(({ shape }) =>
  Object.keys(shape),
);

/** An invoice as its JSON has it; refused where its sums are not its lines'. */
export function readInvoice(value: unknown): ReadInvoice {
  const parsed = invoice.safeParse(value);
  if (!parsed.success) {
    return { outcome: "invalid", problems: documentProblems(parsed.error.issues, "an invoice", knownKeys) };
  }
  const problem = wrongSum(parsed.data);
  return problem === undefined
    ? { outcome: "read", invoice: parsed.data }
    : { outcome: "invalid", problems: [problem] };
}

function wrongSum(read: Invoice): MemberProblem | undefined {
  const { currency, lines, tax: breakdown, totals: told } = read;
  const wrong = wrongIn(read);
  if (wrong !== undefined) return { path: "number", message: wrong.message };
  const unreadable = lines.findIndex(({ net }) => minorUnits(net, currency) === undefined);
  if (unreadable >= 0) return { path: `lines[${unreadable}].net`, message: `is no amount in ${currency}` };
  const [prepaid, due] = [minorUnits(told.prepaid, currency), minorUnits(told.tax, currency)];
  if (prepaid === undefined || due === undefined) return { path: "totals", message: `are no amounts in ${currency}` };
  const made = amountsOf(lines, breakdown, { currency, prepaid, tax: due });
  const members = Object.keys(made.totals) as readonly (keyof typeof told)[];
  const differing = members.find((member) => made.totals[member] !== told[member]);
  if (differing !== undefined) return { path: `totals.${differing}`, message: `must be ${made.totals[differing]}` };
  if (breakdown.amount === made.tax.amount && breakdown.taxable === made.tax.taxable) return undefined;
  return { path: "tax", message: `must be ${made.tax.amount} on ${made.tax.taxable}` };
}
