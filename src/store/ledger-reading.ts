import { type Kysely, type RawBuilder, sql } from "kysely";
import type { OrganisationId, ReceiptId, RequestId } from "../base/index.ts";
import { documentNumbers } from "./document-numbers.ts";
import type { Database } from "./schema.ts";
import { isOfBatch } from "./settlements.ts";

/** A posting as it is told; its name is its transaction's number and its line: "12.1". */
export interface PostingRow {
  readonly posting: string;
  readonly account: string;
  readonly organisation: OrganisationId | null;
  /** What it is called now. */
  readonly organisationName: string | null;
  readonly currency: string;
  /** Exact decimal string: a debit above 0, a credit below. */
  readonly amount: string;
}

export interface TransactionRow {
  readonly number: number;
  readonly kind: string;
  readonly period: string;
  readonly at: Date;
  readonly reference: string;
  /** Of the invoice or credit note that it belongs to; null: of none, or none was issued. */
  readonly documentNumber: string | null;
  readonly postings: readonly PostingRow[];
}

export interface TransactionQuestion {
  readonly number?: number;
  readonly reference?: string;
  readonly period?: string;
  readonly after?: number;
  readonly limit: number;
}

/** Transactions with their postings, in their order. */
export async function transactions(
  db: Kysely<Database>,
  { number, reference, period, after, limit }: TransactionQuestion,
): Promise<readonly TransactionRow[]> {
  const heads = await db
    .selectFrom("ledgerTransactions")
    .selectAll()
    .$if(number !== undefined, (query) => query.where("number", "=", String(number)))
    .$if(reference !== undefined, (query) => query.where("reference", "=", reference!))
    .$if(period !== undefined, (query) => query.where("period", "=", period!))
    .$if(after !== undefined, (query) => query.where("number", ">", String(after)))
    .orderBy("number")
    .limit(limit)
    .execute();
  if (heads.length === 0) return [];
  const numbers = heads.map((head) => head.number);
  const { rows } = await sql<PostingRow & { transaction: string }>`
    SELECT transaction, transaction || '.' || line AS posting, account, organisation, o.name AS organisation_name, currency,
      trim_scale(amount)::text AS amount
    FROM ledger_postings LEFT JOIN organisations o ON o.id = organisation
    WHERE transaction = ANY(${numbers}::bigint[]) ORDER BY transaction, line`.execute(db);
  const documents = await documentNumbers(db, heads);
  const byTransaction = Map.groupBy(rows, ({ transaction }) => transaction);
  return heads.map(({ number, kind, period, at, reference }) => ({
    number: Number(number),
    kind,
    period,
    at,
    reference,
    documentNumber: documents.get(number) ?? null,
    postings: (byTransaction.get(number) ?? []).map(({ posting, account, currency, amount, ...of }) => ({
      posting,
      account,
      organisation: of.organisation,
      organisationName: of.organisationName,
      currency,
      amount,
    })),
  }));
}

/** What was metered: a served request, or a record of another service. */
export interface MeteredRow {
  readonly source: string;
  readonly id: string;
  readonly organisation: OrganisationId;
  /** What it is called now. */
  readonly organisationName: string;
  readonly at: Date;
  readonly isBatch: boolean;
  readonly receipt: ReceiptId | null;
  /** Of a record. */
  readonly sku: string | null;
  /** Exact decimal string; null: nobody has counted. */
  readonly quantity: string | null;
  /** Of a request. */
  readonly model: string | null;
  readonly isEmbedding: boolean;
  readonly inputTokens: string | null;
  readonly cachedInputTokens: string | null;
  readonly outputTokens: string | null;
  readonly reasoningTokens: string | null;
}

export interface MeteredQuestion {
  readonly organisation?: string;
  /** The SKUs, of records, and their models, of requests. */
  readonly skus?: readonly string[];
  readonly fromMs?: number;
  readonly untilMs?: number;
  /** Of requests: these. */
  readonly requests?: readonly string[];
  /** When it had ended, or was told: after this moment, and up to that one. */
  readonly knownFromMs?: number;
  readonly knownUntilMs?: number;
  /** Where in a gateway's journal. */
  readonly shipment?: { readonly gateway: string; readonly from: string; readonly to: string };
  /** The call that a record came with. */
  readonly reference?: string;
  readonly after?: readonly string[];
  readonly limit: number;
}

/** Served requests, in the order of their ids. */
export async function meteredRequests(
  db: Kysely<Database>,
  question: MeteredQuestion,
): Promise<readonly (MeteredRow & { readonly id: RequestId })[]> {
  const { organisation, skus, fromMs, untilMs, knownFromMs, knownUntilMs, requests, shipment, after, limit } = question;
  const models = skus?.map((sku) => sku.slice(0, sku.lastIndexOf("/")));
  const place = (text: string) => sql`(${text.split(":")[0]!}::bigint, ${text.split(":")[1]!}::bigint)`;
  const filters = [
    sql`true`,
    ...(organisation === undefined ? [] : [sql`organisation = ${organisation}`]),
    ...(models === undefined ? [] : [sql`model = ANY(${models}::text[])`]),
    ...(fromMs === undefined ? [] : [sql`started_at >= ${new Date(fromMs)}`]),
    ...(untilMs === undefined ? [] : [sql`started_at < ${new Date(untilMs)}`]),
    ...(requests === undefined ? [] : [sql`request = ANY(${requests}::text[])`]),
    ...(knownFromMs === undefined ? [] : [sql`ended_at > ${momentOf(knownFromMs)}`]),
    ...(knownUntilMs === undefined ? [] : [sql`ended_at <= ${momentOf(knownUntilMs)}`]),
    ...(after === undefined ? [] : [sql`request > ${after[0]}`]),
    ...(shipment === undefined
      ? []
      : [
          sql`gateway = ${shipment.gateway} AND (segment, record_offset) >= ${place(shipment.from)}
            AND (segment, record_offset) < ${place(shipment.to)}`,
        ]),
  ];
  const { rows } = await sql<MeteredRow & { id: RequestId }>`
    SELECT gateway AS source, request AS id, organisation, ${nameOf("usage")}, started_at AS at, ${isOfBatch} AS is_batch, receipt, NULL AS sku,
      NULL AS quantity, model, endpoint = 'embeddings' AS is_embedding, input_tokens, cached_input_tokens, output_tokens,
      reasoning_tokens
    FROM usage WHERE ${sql.join(filters, sql` AND `)} ORDER BY request LIMIT ${limit}::bigint`.execute(db);
  return rows;
}

function nameOf(table: "usage" | "e"): RawBuilder<unknown> {
  const organisation = sql.ref(`${table}.organisation`);
  return sql`coalesce((SELECT name FROM organisations WHERE organisations.id = ${organisation}), ${organisation})
    AS organisation_name`;
}

/** Which of these names are gateways that requests of this installation were ever served by. */
export async function gatewaysAmong(db: Kysely<Database>, names: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ gateway: string }>`
    SELECT gateway FROM watermarks WHERE gateway = ANY(${names}::text[])`.execute(db);
  return new Set(rows.map(({ gateway }) => gateway));
}

/** Records of other services, in the order of their keys. */
export async function meteredRecords(db: Kysely<Database>, question: MeteredQuestion): Promise<readonly MeteredRow[]> {
  const { organisation, skus, fromMs, untilMs, knownFromMs, knownUntilMs, reference, after, limit } = question;
  const isOfRecord = reference !== undefined || knownFromMs !== undefined || knownUntilMs !== undefined;
  const filters = [
    sql`true`,
    ...(organisation === undefined ? [] : [sql`e.organisation = ${organisation}`]),
    ...(skus === undefined ? [] : [sql`e.sku = ANY(${skus}::text[])`]),
    ...(fromMs === undefined ? [] : [sql`e.at >= ${new Date(fromMs)}`]),
    ...(untilMs === undefined ? [] : [sql`e.at < ${new Date(untilMs)}`]),
    ...(knownFromMs === undefined ? [] : [sql`r.received_at > ${momentOf(knownFromMs)}`]),
    ...(knownUntilMs === undefined ? [] : [sql`r.received_at <= ${momentOf(knownUntilMs)}`]),
    ...(reference === undefined ? [] : [sql`r.reference = ${reference}`]),
    ...(after === undefined ? [] : [sql`(e.organisation, e.source, e.id, e.sku) > (${sql.join([...after])})`]),
  ];
  const { rows } = await sql<MeteredRow>`
    SELECT e.source, e.id, e.organisation, ${nameOf("e")}, e.at, e.is_batch, NULL AS receipt, e.sku,
      trim_scale(e.quantity)::text AS quantity, NULL AS model, false AS is_embedding, NULL AS input_tokens,
      NULL AS cached_input_tokens, NULL AS output_tokens, NULL AS reasoning_tokens
    FROM usage_events e ${isOfRecord ? sql`JOIN usage_records r USING (organisation, source, id)` : sql``}
    WHERE ${sql.join(filters, sql` AND `)}
    ORDER BY e.organisation, e.source, e.id, e.sku LIMIT ${limit}::bigint`.execute(db);
  return rows;
}

/** As PostgreSQL compares it: before everything, after everything, or a moment. */
function momentOf(ms: number) {
  if (Number.isFinite(ms)) return sql`${new Date(ms)}`;
  return ms < 0 ? sql`'-infinity'::timestamptz` : sql`'infinity'::timestamptz`;
}
