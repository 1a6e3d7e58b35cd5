import assert from "node:assert/strict";
import { type Bill, billsOf, parseFraction, parseQuantity, readBook, UsageSums } from "../ledger/index.ts";
import type { Invoice } from "./document/invoice.ts";
import { draftOfBill, invoiceOf, purchaseInvoiceOf } from "./document/issue.ts";
import { type Parties, readParties } from "./document/parties.ts";
import { type Preview, previewOf } from "./document/preview.ts";

/** Golden A: tokens and accelerator-seconds of March, with 6 % VAT. */
export const goldenPrices = [
  { sku: "qwen3-32b/input-tokens", unitPrice: "0.0000008" },
  { sku: "qwen3-32b/cached-read-tokens", pricePerMillion: "0.16" },
  { sku: "qwen3-32b/output-tokens", unitPrice: "0.000002" },
  { sku: "910b/accelerator-seconds", pricePerHour: "19.8" },
];

export const goldenUsage: Readonly<Record<string, string>> = {
  "qwen3-32b/input-tokens": "1000000001",
  "qwen3-32b/cached-read-tokens": "234567890",
  "qwen3-32b/output-tokens": "300000007",
  "910b/accelerator-seconds": "86400",
};

export interface BillTerms {
  readonly currency?: string;
  readonly rounding?: "half-up" | "half-even";
  readonly percent?: string;
  readonly reverseCharge?: boolean;
  readonly prices?: readonly object[];
  readonly contracts?: readonly object[];
  readonly isBatch?: boolean;
}

/** What acme owes for March 2026. */
export function billOf(usage: Readonly<Record<string, string>>, terms: BillTerms = {}): Bill {
  const { isBatch = false } = terms;
  const { currency = "CNY", rounding = "half-up", percent = "6", prices = goldenPrices, contracts = [] } = terms;
  const read = readBook({
    currency,
    rounding,
    timeZone: "Asia/Shanghai",
    jurisdiction: "CN",
    taxes: [{ jurisdiction: "CN", percent }],
    versions: [{ version: "2026-1", effectiveFrom: "2026-01-01", prices }],
    contracts,
  });
  if (read.outcome !== "read") throw new Error(JSON.stringify(read.problems));
  const sums = new UsageSums(read.book);
  const atMs = Date.parse("2026-03-15T12:00:00Z");
  for (const [sku, quantity] of Object.entries(usage)) {
    sums.add({ customer: "acme", sku, atMs, quantity: parseQuantity(quantity), isBatch });
  }
  const { bills } = billsOf(sums, { reverseCharge: terms.reverseCharge });
  assert.equal(bills.length, 1);
  return bills[0]!;
}

export const goldenParties = {
  seller: {
    name: "Bailiwick Cloud Co., Ltd.",
    street: "1 West Lake Avenue",
    city: "Hangzhou",
    postCode: "310000",
    country: "CN",
    vatId: "CN91330100799655058B",
    legalRegistration: "91330100799655058B",
    electronicAddress: { scheme: "0088", id: "6901234567892" },
    contactName: "Accounts",
    phone: "+86 571 000 0000",
    email: "billing@cloud.example",
  },
  payment: { account: "CN0012345678901234567", bic: "ICBKCNBJXXX" },
  buyers: [
    {
      customer: "acme",
      name: "Acme S.A.",
      street: "5 rue de la Paix",
      city: "Paris",
      postCode: "75002",
      country: "FR",
      vatId: "FR40303265045",
      electronicAddress: { scheme: "0009", id: "30326504500020" },
      reference: "PO-0815",
    },
  ],
};

/** Who buys, as an organisation's party says it. */
export const { customer: _, ...goldenBuyer } = goldenParties.buyers[0]!;

/** Who sells, as the settings say it. */
export const goldenIssuer = {
  seller: goldenParties.seller,
  payment: goldenParties.payment,
  dueDays: 30,
  numbers: { invoice: "INV", creditNote: "CN" },
};

export function partiesOf(document: unknown = goldenParties): Parties {
  const read = readParties(document);
  if (read.outcome !== "read") throw new Error(JSON.stringify(read.problems));
  return read.parties;
}

export const issuing = { number: "INV-2026-000001", issueDate: "2026-04-01", parties: partiesOf() };

export function issuedInvoice(issued: ReturnType<typeof invoiceOf>): Invoice {
  if (issued.outcome !== "issued") throw new Error(issued.message);
  return issued.invoice;
}

export function goldenInvoice(): Invoice {
  return issuedInvoice(invoiceOf(billOf(goldenUsage), issuing));
}

/** Golden A before it is an invoice. */
export function goldenDraft(more: Partial<Parameters<typeof previewOf>[1]> = {}): Preview {
  const [buyer] = partiesOf().buyers;
  const known = { issuer: goldenIssuer, buyer, customerName: "acme", missing: [] };
  const draft = draftOfBill(billOf(goldenUsage), {});
  return previewOf(draft, { issueDate: issuing.issueDate, timeZone: "Asia/Shanghai", ...known, ...more });
}

/** Golden A, of which the first line was used in February, and came when that was closed. */
export function lateInvoice(): Invoice {
  const { lines, ...bill } = billOf(goldenUsage);
  const [late, ...rest] = lines;
  const period = { name: "2026-02" };
  return issuedInvoice(
    invoiceOf({ ...bill, lines: [{ ...late!, period }, ...rest] }, { ...issuing, timeZone: "Asia/Shanghai" }),
  );
}

/** Golden B: 11,000 credits for 10,000.00, paid when they are ordered. */
export function goldenPurchase(): Invoice {
  const purchase = {
    customer: "acme",
    sku: "wallet/credits",
    name: "Prepaid credits",
    quantity: "11000",
    unit: "credit",
    currency: "CNY",
    amount: 1_000_000n,
  };
  const tax = { jurisdiction: "CN", name: "VAT", percent: parseFraction("6"), reverseCharge: false, amount: 60_000n };
  return issuedInvoice(
    purchaseInvoiceOf(purchase, tax, { ...issuing, number: "INV-2026-000002", prepaid: 1_060_000n }),
  );
}
