import { type Kysely, sql, type Transaction } from "kysely";
import type { GatewayId } from "../base/index.ts";
import type { Batch, Position } from "./batch.ts";
import type { Database } from "./schema.ts";
import { dropOldDecisions, insertReceiptBatches, insertSettlements, type UsedTokens } from "./settlements.ts";
import { storable } from "./storable.ts";

export type ShipOutcome =
  /** `repeated`: rows whose request was there already, under another position, and was left as it was. */
  | { readonly outcome: "shipped"; readonly repeated: number }
  /** The watermark is at `to`: an earlier try whose answer was lost had been committed. Nothing was changed. */
  | { readonly outcome: "shipped_before" }
  /** The watermark is elsewhere: read the journal again from there. Nothing was changed. */
  | { readonly outcome: "elsewhere"; readonly watermark: Position | undefined };

/** What else becomes of new usage in the transaction that writes it. Resolves to until when periods are closed, and keeps them so. */
export type PostUsed = (transaction: Transaction<Database>, used: readonly UsedTokens[]) => Promise<number | undefined>;

/** Rows that `refusals` keeps; older ones are dropped as newer ones arrive. */
export const refusalsKept = 100_000;

/**
 * Writes a batch's rows and moves the watermark in one transaction, only if the watermark is where the batch begins:
 * exactly once, whatever was tried before. Rejects where PostgreSQL is away; the same batch may then be tried again.
 */
export async function ship(db: Kysely<Database>, batch: Batch, post?: PostUsed): Promise<ShipOutcome> {
  return db.transaction().execute(async (transaction) => {
    if (!batch.isDurable) await sql`SET LOCAL synchronous_commit TO off`.execute(transaction);
    if (!(await moveWatermark(transaction, batch))) return whereInstead(transaction, batch);
    await insertReceiptBatches(transaction, batch);
    const used = await insertSettlements(transaction, batch);
    if (used.length > 0 && post !== undefined) {
      const closedUntilMs = await post(transaction, used);
      if (closedUntilMs !== undefined && used.some(({ atMs }) => atMs < closedUntilMs))
        await markLate(transaction, batch, closedUntilMs);
    }
    if (batch.settlements.some(({ body }) => body.includes('"placement":{'))) await dropOldDecisions(transaction);
    await insertRefusals(transaction, batch);
    const written = used.reduce((sum, { requests }) => sum + requests, 0);
    return { outcome: "shipped", repeated: batch.settlements.length - written };
  });
}

/** Of what is posted with a later period than its own the figures of its own know nothing. */
async function markLate(
  transaction: Transaction<Database>,
  { settlements }: Batch,
  closedUntilMs: number,
): Promise<void> {
  await sql`
    UPDATE usage SET is_late = true
    WHERE request = ANY (${settlements.map(({ request }) => request)}::text[]) AND xmin = pg_current_xact_id()::xid
      AND started_at < ${new Date(closedUntilMs)}`.execute(transaction);
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
