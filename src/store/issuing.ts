import { type Kysely, sql, type Transaction } from "kysely";
import type { InvoiceId, OrganisationId } from "../base/index.ts";
import type { Database } from "./schema.ts";

/** How far a series has come; its row stays locked until the transaction ends, so that no number is drawn twice or lost. */
export interface SeriesStanding {
  /** 0: none was drawn yet. */
  readonly last: number;
  /** The day of issue of the last one. */
  readonly newest: string | undefined;
}

export async function takeSeries(transaction: Transaction<Database>, series: string): Promise<SeriesStanding> {
  await sql`INSERT INTO invoice_series (series, last) VALUES (${series}, 0) ON CONFLICT (series) DO NOTHING`.execute(
    transaction,
  );
  const { last, newest } = await transaction
    .selectFrom("invoiceSeries")
    .select(["last", "newest"])
    .where("series", "=", series)
    .forUpdate()
    .executeTakeFirstOrThrow();
  return { last: Number(last), newest: newest ?? undefined };
}

/** An invoice or a credit note as it is kept. */
export interface IssuedDocument {
  readonly seller: string;
  readonly number: string;
  readonly kind: "invoice" | "credit-note";
  readonly invoice: InvoiceId;
  /** JSON. */
  readonly document: string;
  readonly issueDate: string;
  readonly dueDate: string | null;
  readonly issuedBy: string;
  /** What its asker calls it: asked for again, it is the same one. */
  readonly creditId?: string;
  /** SHA-256 of what was asked for. */
  readonly creditDigest?: Buffer;
}

/** Keeps a document under the next number of its series, which `takeSeries` has locked. */
export async function addDocument(
  transaction: Transaction<Database>,
  series: string,
  document: IssuedDocument,
  nowMs: number,
): Promise<void> {
  await transaction
    .insertInto("invoiceDocuments")
    .values({ ...document, issuedAt: new Date(nowMs) })
    .execute();
  const { numUpdatedRows } = await transaction
    .updateTable("invoiceSeries")
    .set({ last: sql`last + 1`, newest: document.issueDate })
    .where("series", "=", series)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error(`the series ${series} is not there`);
}

/** The credit note of an invoice that was asked for under an id. */
export async function findCredit(
  db: Kysely<Database>,
  invoice: InvoiceId,
  id: string,
): Promise<{ readonly document: string; readonly digest: Buffer } | undefined> {
  const row = await db
    .selectFrom("invoiceDocuments")
    .select(["document", "creditDigest"])
    .where("invoice", "=", invoice)
    .where("creditId", "=", id)
    .executeTakeFirst();
  return row && { document: row.document, digest: row.creditDigest! };
}

/** The credit note that was issued last of an invoice. */
export async function lastCreditNote(db: Kysely<Database>, invoice: InvoiceId): Promise<string | undefined> {
  const row = await db
    .selectFrom("invoiceDocuments")
    .select("document")
    .where("invoice", "=", invoice)
    .where("kind", "=", "credit-note")
    // A series goes on in the order of its days, also where the clock goes back.
    .orderBy("issueDate", "desc")
    .orderBy("issuedAt", "desc")
    .orderBy("number", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.document;
}

/** An invoice, locked until the transaction ends; undefined where there is none. */
export async function takeInvoice(transaction: Transaction<Database>, id: InvoiceId) {
  return transaction.selectFrom("invoices").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
}

/** The same as it is now, for those who change nothing. */
export async function findInvoice(db: Kysely<Database>, id: InvoiceId) {
  return db.selectFrom("invoices").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function setInvoiceState(
  transaction: Transaction<Database>,
  id: InvoiceId,
  state: "final" | "paid" | "void",
): Promise<void> {
  await transaction.updateTable("invoices").set({ state }).where("id", "=", id).executeTakeFirstOrThrow();
}

/** A draft becomes final; `taxed`: with the tax of a rate that was not known when its period closed, in units of 10^-12. */
export async function setFinal(
  transaction: Transaction<Database>,
  id: InvoiceId,
  taxed: { readonly bill: string; readonly tax: bigint } | undefined,
): Promise<void> {
  const changed = taxed && {
    bill: taxed.bill,
    tax: sql<string>`${String(taxed.tax)}::numeric * 0.000000000001`,
    gross: sql<string>`net + ${String(taxed.tax)}::numeric * 0.000000000001`,
  };
  await transaction
    .updateTable("invoices")
    .set({ state: "final", ...changed })
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

export interface DocumentQuestion {
  readonly invoice?: InvoiceId;
  readonly number?: string;
  readonly organisation?: OrganisationId;
  /** The invoices' period; of credit notes their invoice's. */
  readonly period?: string;
  /** Invoices of usage of this period; credit notes, and purchases, issued from its first day to its last. */
  readonly billedIn?: { readonly name: string; readonly startDate: string; readonly endDate: string };
  readonly kind?: IssuedDocument["kind"];
  /** The seller and number of the last one that was had. */
  readonly after?: readonly [string, string];
  readonly limit: number;
}

/** Documents in the order of seller and number. */
export async function issuedDocuments(
  db: Kysely<Database>,
  { invoice, number, organisation, period, billedIn, kind, after, limit }: DocumentQuestion,
): Promise<readonly Pick<IssuedDocument, "seller" | "number" | "kind" | "invoice" | "document">[]> {
  return db
    .selectFrom("invoiceDocuments")
    .innerJoin("invoices", "invoices.id", "invoiceDocuments.invoice")
    .select(["seller", "number", "kind", "invoice", "document"])
    .$if(invoice !== undefined, (query) => query.where("invoice", "=", invoice!))
    .$if(number !== undefined, (query) => query.where("number", "=", number!))
    .$if(organisation !== undefined, (query) => query.where("organisation", "=", organisation!))
    .$if(period !== undefined, (query) => query.where("period", "=", period!))
    .$if(billedIn !== undefined, (query) =>
      query.where(
        sql<boolean>`CASE WHEN grant_id IS NULL AND kind = 'invoice' THEN period = ${billedIn!.name}
          ELSE issue_date BETWEEN ${billedIn!.startDate} AND ${billedIn!.endDate} END`,
      ),
    )
    .$if(kind !== undefined, (query) => query.where("kind", "=", kind!))
    .$if(after !== undefined, (query) => query.where(sql<boolean>`(seller, number) > (${after![0]}, ${after![1]})`))
    .orderBy("seller")
    .orderBy("number")
    .limit(limit)
    .execute();
}

/** The ids of a period's drafts, in their order. */
export async function draftsOf(db: Kysely<Database>, period: string): Promise<readonly InvoiceId[]> {
  const rows = await db
    .selectFrom("invoices")
    .select("id")
    .where("period", "=", period)
    .where("state", "=", "draft")
    .orderBy("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** How many invoices of a period are no drafts any more. */
export async function countIssued(db: Kysely<Database>, period: string): Promise<number> {
  const { count } = await db
    .selectFrom("invoices")
    .select((expression) => expression.fn.countAll<string>().as("count"))
    .where("period", "=", period)
    .where("state", "!=", "draft")
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Who is billed, as JSON; undefined where nobody has said so. */
export async function findParty(db: Kysely<Database>, organisation: OrganisationId): Promise<string | undefined> {
  const row = await db
    .selectFrom("organisationParties")
    .select("party")
    .where("organisation", "=", organisation)
    .executeTakeFirst();
  return row?.party;
}

export async function setParty(
  db: Kysely<Database>,
  { organisation, party, by, nowMs }: { organisation: OrganisationId; party: string; by: string; nowMs: number },
): Promise<void> {
  const said = { party, changedAt: new Date(nowMs), changedBy: by };
  await db
    .insertInto("organisationParties")
    .values({ organisation, ...said })
    .onConflict((conflict) => conflict.column("organisation").doUpdateSet(said))
    .execute();
}
