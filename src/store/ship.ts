import { type Kysely, sql, type Transaction } from "kysely";
import type {
  Ending,
  GatewayId,
  KeyId,
  OrganisationId,
  ProjectId,
  ReceiptId,
  RequestId,
  Usage,
} from "../base/index.ts";
import type { Database } from "./schema.ts";

/** A place in a gateway's journal. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface UsageRow {
  readonly request: RequestId;
  readonly position: Position;
  readonly organisation: OrganisationId;
  readonly project: ProjectId;
  readonly key: KeyId;
  readonly model: string;
  /** e.g. "chat.completions". */
  readonly endpoint: string;
  readonly site: string;
  readonly ending: Ending;
  readonly startedMs: number;
  readonly endedMs: number;
  /** Absent where nothing proves it; then `unrated` says why. */
  readonly usage?: Usage;
  /** Why there is no amount: the usage or the price is not known. */
  readonly unrated?: string;
  /** Tokens that an unknown usage cannot have exceeded. */
  readonly upperBoundTokens?: number;
  /** Exact decimal string, not rounded. */
  readonly listAmount?: string;
  /** Also for an unrated row where the intent fixed it: rows of one currency are added up together. */
  readonly currency?: string;
  readonly priceVersion?: string;
  readonly receipt?: ReceiptId;
}

export interface ReceiptRow {
  readonly id: ReceiptId;
  readonly project: ProjectId;
  /** The signed statement's exact text. */
  readonly payload: string;
  readonly batchIndex: number;
  readonly batchSize: number;
  /** The hashes from the leaf to the batch's root, as texts. */
  readonly path: readonly string[];
  /** The batch's signature, as text. */
  readonly seal: string;
}

export interface RefusalRow {
  readonly position: Position;
  readonly atMs: number;
  readonly project?: string;
  readonly key?: string;
  readonly code: string;
  readonly body: string;
}

/** A stretch of one gateway's journal: all that it holds from one position to another. */
export interface Batch {
  readonly gateway: GatewayId;
  /** Where the shipper believes the watermark to be; undefined: nothing was ever shipped. */
  readonly from: Position | undefined;
  readonly to: Position;
  readonly usage: readonly UsageRow[];
  readonly receipts: readonly ReceiptRow[];
  readonly refusals: readonly RefusalRow[];
}

export type ShipOutcome =
  /** `repeated`: rows whose request was there already, under another position, and was left as it was. */
  | { readonly outcome: "shipped"; readonly repeated: number }
  /** The watermark is at `to`: an earlier try whose answer was lost had been committed. Nothing was changed. */
  | { readonly outcome: "shipped_before" }
  /** The watermark is elsewhere: read the journal again from there. Nothing was changed. */
  | { readonly outcome: "elsewhere"; readonly watermark: Position | undefined };

/** Rows that `refusals` keeps; older ones are dropped as newer ones arrive. */
export const refusalsKept = 100_000;

/**
 * Writes a batch's rows and moves the watermark in one transaction, only if the watermark is where the batch begins:
 * exactly once, whatever was tried before. Rejects where PostgreSQL is away; the same batch may then be tried again.
 */
export async function ship(db: Kysely<Database>, batch: Batch): Promise<ShipOutcome> {
  return db.transaction().execute(async (transaction) => {
    if (!(await moveWatermark(transaction, batch))) return whereInstead(transaction, batch);
    const written = await insertUsage(transaction, batch);
    await insertReceipts(transaction, batch.receipts);
    await insertRefusals(transaction, batch);
    return { outcome: "shipped", repeated: batch.usage.length - written };
  });
}

/** How far a gateway's journal has been shipped; undefined: not at all. */
export async function readWatermark(db: Kysely<Database>, gateway: GatewayId): Promise<Position | undefined> {
  const row = await db
    .selectFrom("watermarks")
    .select(["segment", "recordOffset"])
    .where("gateway", "=", gateway)
    .executeTakeFirst();
  return row === undefined ? undefined : { segment: Number(row.segment), offset: Number(row.recordOffset) };
}

/** The row lock that this takes holds a second shipper of the same gateway back until we have committed. */
async function moveWatermark(transaction: Transaction<Database>, batch: Batch): Promise<boolean> {
  const { gateway, from, to } = batch;
  if (from === undefined) {
    const inserted = await transaction
      .insertInto("watermarks")
      .values({ gateway, segment: to.segment, recordOffset: to.offset })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return inserted.numInsertedOrUpdatedRows === 1n;
  }
  const updated = await transaction
    .updateTable("watermarks")
    .set({ segment: to.segment, recordOffset: to.offset })
    .where("gateway", "=", gateway)
    .where("segment", "=", String(from.segment))
    .where("recordOffset", "=", String(from.offset))
    .executeTakeFirst();
  return updated.numUpdatedRows === 1n;
}

async function whereInstead(transaction: Transaction<Database>, batch: Batch): Promise<ShipOutcome> {
  const watermark = await readWatermark(transaction, batch.gateway);
  const isAtEnd = watermark?.segment === batch.to.segment && watermark.offset === batch.to.offset;
  return isAtEnd ? { outcome: "shipped_before" } : { outcome: "elsewhere", watermark };
}

/**
 * One parameter holds all rows as JSON, whatever their number: a statement per batch, and no limit of 65,535
 * parameters. The columns are those of the migration; `day` follows from started_at.
 */
async function insertUsage(transaction: Transaction<Database>, batch: Batch): Promise<number> {
  if (batch.usage.length === 0) return 0;
  const rows = batch.usage.map((row) => ({
    request: row.request,
    segment: row.position.segment,
    record_offset: row.position.offset,
    organisation: row.organisation,
    project: row.project,
    key: row.key,
    model: storable(row.model),
    endpoint: row.endpoint,
    site: storable(row.site),
    ending: row.ending,
    started_at: new Date(row.startedMs),
    ended_at: new Date(row.endedMs),
    input_tokens: row.usage?.inputTokens,
    cached_input_tokens: row.usage?.cachedInputTokens,
    output_tokens: row.usage?.outputTokens,
    reasoning_tokens: row.usage?.reasoningTokens,
    unrated: row.unrated === undefined ? undefined : storable(row.unrated),
    upper_bound_tokens: row.upperBoundTokens,
    list_amount: row.listAmount,
    currency: row.currency,
    price_version: row.priceVersion,
    receipt: row.receipt,
  }));
  const result = await sql`
    INSERT INTO usage (
      gateway, request, segment, record_offset, organisation, project, key, model, endpoint, site, ending,
      started_at, ended_at, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens,
      unrated, upper_bound_tokens, list_amount, currency, price_version, receipt
    )
    SELECT
      ${batch.gateway}::text, request, segment, record_offset, organisation, project, key, model, endpoint, site, ending,
      started_at, ended_at, input_tokens, cached_input_tokens, output_tokens, reasoning_tokens,
      unrated, upper_bound_tokens, list_amount, currency, price_version, receipt
    FROM json_populate_recordset(NULL::usage, ${JSON.stringify(rows)}::json)
    ON CONFLICT (request) DO NOTHING`.execute(transaction);
  return Number(result.numAffectedRows ?? 0);
}

async function insertReceipts(transaction: Transaction<Database>, receipts: readonly ReceiptRow[]): Promise<void> {
  if (receipts.length === 0) return;
  const rows = receipts.map((row) => ({
    id: row.id,
    project: row.project,
    payload: row.payload,
    batch_index: row.batchIndex,
    batch_size: row.batchSize,
    path: row.path,
    seal: row.seal,
  }));
  await sql`
    INSERT INTO receipts (id, project, payload, batch_index, batch_size, path, seal)
    SELECT id, project, payload, batch_index, batch_size, path, seal
    FROM json_populate_recordset(NULL::receipts, ${JSON.stringify(rows)}::json)
    ON CONFLICT (id) DO NOTHING`.execute(transaction);
}

async function insertRefusals(transaction: Transaction<Database>, batch: Batch): Promise<void> {
  if (batch.refusals.length === 0) return;
  const rows = batch.refusals.map((row) => ({
    segment: row.position.segment,
    record_offset: row.position.offset,
    at: new Date(row.atMs),
    project: row.project,
    key: row.key,
    code: row.code,
    body: storable(row.body),
  }));
  await sql`
    INSERT INTO refusals (gateway, segment, record_offset, at, project, key, code, body)
    SELECT ${batch.gateway}::text, segment, record_offset, at, project, key, code, body
    FROM json_populate_recordset(NULL::refusals, ${JSON.stringify(rows)}::json)
    ON CONFLICT (gateway, segment, record_offset) DO NOTHING`.execute(transaction);
  await sql`
    DELETE FROM refusals WHERE number <= (SELECT max(number) FROM refusals) - ${refusalsKept}::bigint`.execute(
    transaction,
  );
}

/** PostgreSQL's text holds no NUL and no half surrogate; a client's text may, and must not stop the books. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}
