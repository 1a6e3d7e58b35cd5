import { z } from "zod";
import { decimal, listOf } from "./fields.ts";
import { version } from "./wire.ts";

// What the control API answers of money.

export const priceBook = version.extend({
  document: z.record(z.string(), z.unknown()).meta({
    description:
      "As it would be applied today: organisations have the names of today. Of version 0 the settings' `prices`, written as a price book.",
  }),
  customers: z
    .record(z.string(), z.string())
    .meta({ description: "The ids of the organisations that it calls by name: names may change." }),
  warnings: z
    .array(z.string())
    .meta({ description: "What has no price any more, and what receipts would list and no bill have." }),
});

export const recorded = z.object({
  accepted: z.int(),
  duplicates: z.int().meta({ description: "Told before, with the same body." }),
  unrated: z.int().meta({ description: "Of those accepted: without a price, or a quantity that somebody counted." }),
  late: z
    .int()
    .meta({ description: "Of those accepted: used in a closed period, and billed with the first open one." }),
  warnings: z.array(z.string()).meta({ description: "SKUs without a price that are no `product/dimension`." }),
});

export const metered = z.object({
  source: z.string().meta({ description: "A gateway's id, or what a record says." }),
  id: z.string().meta({ description: "A request's id, or a record's." }),
  organisation: z.string(),
  organisationName: z.string().meta({ description: "What it is called now." }),
  at: z.string(),
  isBatch: z.boolean(),
  receipt: z.string().nullable(),
  sku: z.string().nullable().meta({ description: "Null: a request, which has tokens of a model." }),
  quantity: decimal.nullable().meta({ description: "Null: nobody has counted." }),
  model: z.string().nullable(),
  isEmbedding: z.boolean(),
  inputTokens: decimal.nullable(),
  cachedInputTokens: decimal.nullable(),
  outputTokens: decimal.nullable(),
  reasoningTokens: decimal.nullable(),
});

export const meteredRows = listOf(metered);

export const unrated = z.object({
  number: z.int(),
  organisation: z.string(),
  organisationName: z.string().nullable().meta({ description: "What it is called now." }),
  sku: z.string(),
  at: z.string(),
  quantity: decimal.nullable().meta({ description: "Null: nobody has counted." }),
  events: z.int(),
  reason: z.string(),
  reference: z.string().meta({ description: "What it came with: a shipment, a request, a record." }),
  dropped: z
    .object({ at: z.string(), by: z.string(), reason: z.string() })
    .nullable()
    .meta({ description: "That it was written off; null: it waits." }),
});

export const unratedRows = listOf(unrated);
export const ratedLater = z.object({
  rated: z.int(),
  left: z.int().meta({ description: "All that still waits for a price or a quantity." }),
});

const total = z.object({
  currency: z.string(),
  invoices: z.int(),
  net: decimal,
  tax: decimal,
  gross: decimal,
  residual: decimal.meta({ description: "What rounding took away, below 0 where it added." }),
});

export const closedPeriod = z.object({
  period: z.string(),
  closedAt: z.string(),
  closedBy: z.string(),
  invoices: z.int(),
  totals: z.array(total).meta({ description: "By currency." }),
  warnings: z.array(z.string()).meta({
    description:
      "What its drafts lack, so that they could not become final; that nothing was in the books until its end.",
  }),
});

export const periods = z.object({
  items: z.array(
    z.object({
      period: z.string(),
      startsAt: z.string(),
      endsAt: z.string().meta({ description: "Excluded." }),
      state: z.enum(["open", "closed"]),
      closedAt: z.string().nullable(),
      closedBy: z.string().nullable(),
    }),
  ),
});

const kind = z.enum(["asset", "liability", "income"]);

export const accounts = z.object({ items: z.array(z.object({ account: z.string(), kind })) });

export const trialBalance = z.object({
  until: z.string().nullable().meta({ description: "Excluded; null: all that there is." }),
  rows: z.array(
    z.object({ account: z.string(), kind, currency: z.string(), debit: decimal, credit: decimal, balance: decimal }),
  ),
  totals: z
    .array(z.object({ currency: z.string(), debit: decimal, credit: decimal }))
    .meta({ description: "Both sides are the same." }),
});

const posting = z.object({
  posting: z.string().meta({ description: "Its transaction's number and its line: `12.1`." }),
  account: z.string(),
  organisation: z.string().nullable(),
  organisationName: z.string().nullable().meta({ description: "What it is called now." }),
  currency: z.string(),
  amount: decimal.meta({ description: "A debit above 0, a credit below." }),
});

const transaction = z.object({
  number: z.int(),
  kind: z.string(),
  period: z.string(),
  at: z.string(),
  date: z.string().meta({ description: "The day, by the price book's clock." }),
  reference: z.string().meta({ description: "What it was made from: a shipment, a call, an invoice." }),
  documentNumber: z
    .string()
    .nullable()
    .meta({ description: "Of the credit note of a credit, else of the invoice; null: none, or a draft." }),
});

export const transactions = listOf(transaction.extend({ postings: z.array(posting) }));

const line = z.record(z.string(), z.unknown()).meta({ description: "As `bailiwick rate --json` tells a line." });

const payment = z.object({
  id: z.string(),
  kind: z.enum(["payment", "refund"]),
  amount: decimal,
  date: z.string().meta({ description: "When the money moved, as somebody said; else the day of its posting." }),
  payment: z
    .string()
    .nullable()
    .meta({ description: "Of a refund, the payment that did not last; null: it was owed to the customer." }),
  at: z.string().meta({ description: "When it is posted." }),
  by: z.string().nullable().meta({ description: "null: an earlier release did not keep it." }),
});

export const reasons = z.object({
  posting,
  transaction,
  invoice: z.string().nullable(),
  payment: payment.nullable().meta({ description: "Of the invoice, where it is one, or a refund." }),
  lines: z.array(line).meta({ description: "Of the invoice, those that it is made of." }),
  sums: z.array(
    z.object({
      sku: z.string(),
      period: z.string().meta({ description: "In which it was used." }),
      quantity: decimal,
      events: z.int(),
      accrued: decimal,
    }),
  ),
  requests: z.array(metered).meta({ description: "The first hundred, each with its receipt." }),
  records: z.array(metered).meta({ description: "The first hundred." }),
});

export const invoice = z.object({
  id: z.string(),
  kind: z.enum(["usage", "purchase"]).meta({ description: "Of a period's usage, or of credits that were bought." }),
  grant: z.string().nullable().meta({ description: "Which credits were bought." }),
  organisation: z.object({ id: z.string(), name: z.string() }),
  period: z.string(),
  currency: z.string(),
  state: z.enum(["draft", "final", "paid", "void"]),
  net: decimal,
  tax: decimal,
  gross: decimal,
  residual: decimal,
  drawn: decimal.meta({ description: "What wallets have paid of `net`; the rest of `gross` is to be paid." }),
  paid: decimal.meta({ description: "Less what went back to the customer." }),
  open: decimal.meta({ description: "What is to be paid, after its credit notes; below 0: owed to the customer." }),
  createdAt: z.string(),
  number: z.string().nullable().meta({ description: "null of a draft." }),
  issueDate: z.string().nullable(),
  dueDate: z.string().nullable(),
});

export const invoices = listOf(invoice);
export const wholeInvoice = invoice.extend({
  payments: z.array(payment).meta({ description: "And refunds, in the order in which they were posted." }),
  bill: z.record(z.string(), z.unknown()).meta({
    description: "The bill and its lines, as `bailiwick rate --json` tells them, each with its number (`line`).",
  }),
});

export const documentKind = z.enum(["invoice", "credit-note"]);

/** An invoice or a credit note as it was issued: docs/reference/invoice.md. */
export const issuedDocument = z.object({
  invoice: z.string().meta({ description: "Which invoice it is, or takes back of." }),
  kind: documentKind,
  number: z.string(),
  document: z.record(z.string(), z.unknown()).meta({ description: "All that it says, as invoice.md has it." }),
});

export const issuedDocuments = listOf(issuedDocument);

/** A draft as the invoice that it would become: docs/reference/invoice.md. */
export const previewed = z.object({
  invoice: z.string(),
  document: z.record(z.string(), z.unknown()).meta({
    description:
      "All that it would say, as invoice.md has it, without a number; what is not known is null, and in `missing`.",
  }),
});

export const finalized = z.object({
  issued: z.array(z.object({ invoice: z.string(), number: z.string() })),
  refused: z.array(z.object({ invoice: z.string(), code: z.string(), message: z.string() })).meta({
    description: "The first hundred that stay drafts, and why.",
  }),
  refusals: z.int().meta({ description: "How many stay drafts." }),
  before: z.int().meta({ description: "How many of its invoices were final before this call." }),
});

/** A payment or a refund, and how the invoice stands by now. */
export const settled = z.object({
  invoice: z.string(),
  id: z.string().nullable().meta({ description: "null: nothing was open, and nothing was posted." }),
  amount: decimal,
  currency: z.string(),
  state: invoice.shape.state,
  paid: invoice.shape.paid,
  open: invoice.shape.open,
});

export const party = z.record(z.string(), z.unknown()).meta({ description: "A buyer, as invoice.md has them." });

export const toldRows = listOf(
  z.object({
    organisation: z.string().meta({ description: "What it is called now." }),
    sku: z.string(),
    records: z.int(),
    quantity: decimal.meta({ description: "Of the records that say how much it was." }),
    uncounted: z.int().meta({ description: "Records that do not." }),
  }),
);

export const unbilledRows = z.object({
  items: z.array(
    z.object({
      organisation: z.string(),
      period: z.string(),
      sku: z.string(),
      quantity: decimal,
      events: z.int(),
      accrued: decimal,
      currency: z.string(),
    }),
  ),
});

export type PriceBook = z.output<typeof priceBook>;
export type Recorded = z.output<typeof recorded>;
export type Metered = z.output<typeof metered>;
export type ToldUsage = z.output<typeof toldRows>["items"][number];
export type Unrated = z.output<typeof unrated>;
export type RatedLater = z.output<typeof ratedLater>;
export type ClosedPeriod = z.output<typeof closedPeriod>;
export type LedgerPeriods = z.output<typeof periods>;
export type Accounts = z.output<typeof accounts>;
export type TrialBalance = z.output<typeof trialBalance>;
export type LedgerTransaction = z.output<typeof transactions>["items"][number];
export type Reasons = z.output<typeof reasons>;
export type Invoice = z.output<typeof invoice>;
export type WholeInvoice = z.output<typeof wholeInvoice>;
export type IssuedDocument = z.output<typeof issuedDocument>;
export type PreviewedInvoice = z.output<typeof previewed>;
export type FinalizedPeriod = z.output<typeof finalized>;
export type SettledInvoice = z.output<typeof settled>;
export type Party = z.output<typeof party>;
export type Unbilled = z.output<typeof unbilledRows>;
