import assert from "node:assert/strict";
import { createIds, type OrganisationId, type Refusal } from "../../src/base/index.ts";
import {
  applyParty,
  applyPriceBook,
  type BooksContext,
  close,
  credit,
  dropUnrated,
  finalize,
  finalizePeriod,
  grantCredits,
  makeVoid,
  pay,
  rateUnrated,
  record,
  refund,
} from "../../src/books/index.ts";
import { settlementOf, shipServed, taken } from "../../src/books/testing.ts";
import type { Invoice } from "../../src/invoicing/index.ts";
import { goldenBuyer } from "../../src/invoicing/testing.ts";
import { type Quantity, revenueAccount } from "../../src/ledger/index.ts";
import type { Settlement } from "../../src/store/index.ts";
import { clockAt, counting } from "./instance.ts";

/** What somebody asks of the books. Who hears no answer asks it again, word for word, and must not have it done twice. */
export interface Step {
  readonly name: string;
  /** When: the clock stands still meanwhile. */
  readonly at: string;
  ask(books: BooksContext): Promise<unknown>;
}

const by = "tester";
const customers = { acme: "org_0000000000000000000000000A", globex: "org_0000000000000000000000000B" } as const;
const { acme, globex } = customers;

/** Customers, before anybody asks anything. */
export async function found({ db, clock }: BooksContext): Promise<void> {
  const createdAt = new Date(clock.nowMs());
  const rows = Object.entries(customers).map(([name, id]) => ({ id, name, createdAt }));
  await db.insertInto("organisations").values(rows).execute();
}

const prices = (more: readonly object[] = []) => ({
  currency: "EUR",
  versions: [
    {
      version: "1",
      effectiveFrom: "2026-01-01",
      prices: [
        ...["input", "cached-read", "output", "reasoning"].map((kind) => ({
          sku: `m/${kind}-tokens`,
          pricePerMillion: "0.7",
        })),
        { sku: "h100/accelerator-seconds", unitPrice: "0.000694", freeGrant: 3_600 },
        { sku: "seats", unitPrice: "20" },
        ...more,
      ],
    },
  ],
  contracts: [
    {
      contract: "globex-1",
      customer: "globex",
      versions: [{ version: "1", effectiveFrom: "2026-03-01", discountPercent: 10, commitment: "900" }],
    },
  ],
  jurisdiction: "CN",
  taxes: [{ jurisdiction: "CN", percent: 6 }],
});

const usage = (id: string, customer: string, sku: string, quantity: number, time = "2026-03-10T12:00:00Z") => ({
  id,
  source: "/billing",
  customer,
  time,
  sku,
  quantity,
});

const told = [
  usage("1", "acme", "m/input-tokens", 1_000_000_001),
  usage("2", "acme", "h100/accelerator-seconds", 86_400),
  usage("3", "globex", "seats", 7),
  usage("4", "globex", "chairs", 3),
  usage("5", "acme", "desks", 2),
];

/** What a gateway has in its journal, which stays as it is whoever dies. */
const served = journal();

function journal(): readonly Settlement[] {
  const atMs = Date.parse("2026-03-11T08:00:00Z");
  const ids = createIds(clockAt("2026-03-11T08:00:00Z"), counting());
  const tokens = { inputTokens: 30_000, cachedInputTokens: 10_000, outputTokens: 5_000, reasoningTokens: 7 };
  return [
    { organisation: acme, model: "m", usage: tokens },
    { organisation: globex, model: "m", usage: tokens, tier: "batch" as const },
    { organisation: globex, model: "m", usage: null },
    { organisation: acme, model: "new", usage: tokens },
  ].map((each, at) => settlementOf({ ids }, { ...each, atMs: atMs + at }));
}

const shipments = {
  first: { from: undefined, to: { segment: 1, offset: 40 } },
  second: { from: { segment: 1, offset: 40 }, to: { segment: 2, offset: 10 } },
};

async function invoiceOf(
  { db }: BooksContext,
  organisation: OrganisationId,
  period: string,
  grant: string | null = null,
) {
  const { id } = await db
    .selectFrom("invoices")
    .select("id")
    .where("organisation", "=", organisation)
    .where("period", "=", period)
    .where("grantId", grant === null ? "is" : "=", grant)
    .executeTakeFirstOrThrow();
  return id;
}

/** A line of March's invoice, as its document numbers it. */
async function lineOf({ db }: BooksContext, organisation: OrganisationId, sku: string): Promise<string> {
  const { document } = await db
    .selectFrom("invoiceDocuments")
    .innerJoin("invoices", "id", "invoice")
    .select("document")
    .where("organisation", "=", organisation)
    .where("period", "=", "2026-03")
    .where("kind", "=", "invoice")
    .executeTakeFirstOrThrow();
  return (JSON.parse(document) as Invoice).lines.find((line) => line.sku === sku)!.id;
}

/** What waits for a price or a quantity, or did. */
async function unratedOf({ db }: BooksContext, sku: string): Promise<number> {
  const { number } = await db
    .selectFrom("unratedUsage")
    .select("number")
    .where("sku", "=", sku)
    .orderBy("number")
    .executeTakeFirstOrThrow();
  return Number(number);
}

/** Takes an answer, or the refusal that says that it was done before. */
async function takenOr(code: Refusal["code"], answer: Promise<object>, says: RegExp): Promise<unknown> {
  const answered = await answer;
  if (!("outcome" in answered) || answered.outcome !== "refused") return answered;
  const refusal = answered as Refusal;
  assert.equal(refusal.code, code, refusal.message);
  assert.match(refusal.message, says);
  return refusal;
}

const asked = (at: string) => (name: string, ask: Step["ask"]) => ({ name, at, ask });
const march = asked("2026-03-12T09:00:00Z");
const april = asked("2026-04-02T09:00:00Z");
const may = asked("2026-05-02T09:00:00Z");
const bought = { organisation: "acme", credits: "550", paid: "500.00", breakagePercent: "5" };

/** Whatever writes money, from the first price book to what expires. */
export const steps: readonly Step[] = [
  march("prices are applied", async (books) =>
    taken(await applyPriceBook(books, { basedOn: 0, document: prices(), by })),
  ),
  march("customers say who they are", async (books) => {
    for (const id of [acme, globex]) taken(await applyParty(books, id, goldenBuyer, by));
  }),
  march("usage is recorded", async (books) => taken(await record(books, told, "call-1"))),
  march("usage is recorded of which some was there", async (books) =>
    taken(await record(books, [...told.slice(2), usage("6", "globex", "m/output-tokens", 12_345)], "call-2")),
  ),
  march("requests that were served are taken", (books) => shipServed(books, served.slice(0, 2), shipments.first)),
  march("requests that nobody has counted, or priced, are taken", (books) =>
    shipServed(books, served.slice(1), shipments.second),
  ),
  march("a price is added", async (books) => {
    const kinds = ["input", "cached-read", "output", "reasoning"];
    const more = [
      { sku: "chairs", unitPrice: "4" },
      ...kinds.map((kind) => ({ sku: `new/${kind}-tokens`, unitPrice: "0.001" })),
    ];
    return taken(await applyPriceBook(books, { basedOn: 1, document: prices(more), by }));
  }),
  march("what has a price by now is rated", async (books) => taken(await rateUnrated(books, { reference: "rated" }))),
  march("what nobody had counted is rated", async (books) =>
    takenOr(
      "not_found",
      rateUnrated(books, {
        number: await unratedOf(books, "m/output-tokens"),
        quantity: 5_000_000_000n as Quantity,
        reference: "counted",
      }),
      /was rated/,
    ),
  ),
  march("what is never to be billed is dropped", async (books) =>
    takenOr(
      "not_found",
      dropUnrated(books, { number: await unratedOf(books, "desks"), reason: "a gift", by }),
      /was dropped/,
    ),
  ),
  march("credits are given, and expire with a part that stays", async (books) =>
    taken(
      await grantCredits(
        books,
        {
          organisation: "globex",
          id: "welcome",
          credits: "50",
          paid: "0",
          priority: -1,
          expiresAt: "2026-03-31",
          rollover: { most: "10", until: "2026-04-30" },
        },
        by,
      ),
    ),
  ),
  march("credits are bought", async (books) => taken(await grantCredits(books, { ...bought, id: "order-1" }, by))),
  march("the purchase's invoice becomes final", async (books) =>
    taken(await finalize(books, await invoiceOf(books, acme, "2026-03", "order-1"), by)),
  ),
  march("the purchase is paid", async (books) =>
    taken(await pay(books, { invoice: await invoiceOf(books, acme, "2026-03", "order-1") }, by)),
  ),
  march("credits are bought and paid on the spot", async (books) =>
    taken(await grantCredits(books, { ...bought, id: "order-2", expiresAt: "2026-04-30", received: true }, by)),
  ),
  march("credits are bought by mistake", async (books) =>
    taken(await grantCredits(books, { ...bought, id: "order-3" }, by)),
  ),
  march("their invoice becomes final", async (books) =>
    taken(await finalize(books, await invoiceOf(books, acme, "2026-03", "order-3"), by)),
  ),
  march("the purchase is taken back", async (books) =>
    taken(
      await makeVoid(books, { invoice: await invoiceOf(books, acme, "2026-03", "order-3"), reason: "a mistake" }, by),
    ),
  ),
  april("March closes", async (books) => taken(await close(books, "2026-03", by))),
  april("March's invoices become final", async (books) => finalizePeriod(books, "2026-03", by)),
  april("usage comes late", async (books) =>
    taken(
      await record(
        books,
        [
          usage("7", "acme", "h100/accelerator-seconds", 7_200, "2026-03-31T23:59:59Z"),
          usage("8", "acme", "m/input-tokens", 2_000_000_001, "2026-04-01T12:00:00Z"),
          usage("9", "globex", "seats", 1, "2026-04-01T12:00:00Z"),
        ],
        "call-3",
      ),
    ),
  ),
  april("a part of a line is credited", async (books) =>
    taken(
      await credit(
        books,
        {
          invoice: await invoiceOf(books, globex, "2026-03"),
          id: "outage",
          reason: "Outage",
          what: [{ line: await lineOf(books, globex, "seats"), amount: "1.00" }],
        },
        by,
      ),
    ),
  ),
  april("a part of an account is credited", async (books) =>
    taken(
      await credit(
        books,
        {
          invoice: await invoiceOf(books, globex, "2026-03"),
          id: "chairs",
          reason: "Broken",
          what: { account: revenueAccount("seats", false), net: "40.00" },
        },
        by,
      ),
    ),
  ),
  april("a part of an invoice is paid", async (books) =>
    taken(
      await pay(
        books,
        { invoice: await invoiceOf(books, globex, "2026-03"), id: "wire-1", amount: "500.00", date: "2026-04-01" },
        by,
      ),
    ),
  ),
  april("the rest of it is paid", async (books) =>
    taken(await pay(books, { invoice: await invoiceOf(books, globex, "2026-03") }, by)),
  ),
  april("what is paid is credited", async (books) =>
    taken(
      await credit(
        books,
        {
          invoice: await invoiceOf(books, globex, "2026-03"),
          id: "again",
          reason: "Outage",
          what: [{ line: await lineOf(books, globex, "seats"), amount: "2.00" }],
        },
        by,
      ),
    ),
  ),
  april("what is owed to the customer goes back", async (books) =>
    taken(await refund(books, { invoice: await invoiceOf(books, globex, "2026-03"), id: "back" }, by)),
  ),
  april("a payment does not last", async (books) =>
    taken(
      await refund(books, { invoice: await invoiceOf(books, globex, "2026-03"), id: "bounced", payment: "wire-1" }, by),
    ),
  ),
  may("April closes, and credits expire", async (books) => taken(await close(books, "2026-04", by))),
  may("April's invoices become final", async (books) => finalizePeriod(books, "2026-04", by)),
  may("an invoice is taken back", async (books) =>
    taken(await makeVoid(books, { invoice: await invoiceOf(books, globex, "2026-04"), reason: "never ordered" }, by)),
  ),
];
