import { type Kysely, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import type { Database } from "./schema.ts";

/** Usage that has no price yet, or whose quantity nobody knows; in units of 10^-9. */
export interface UnratedEvent {
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly atMs: number;
  readonly quantity: bigint | undefined;
  readonly isBatch: boolean;
  readonly events?: number;
  readonly reason: string;
  /** Left out: that of all of them. */
  readonly reference?: string;
}

export async function addUnrated(
  transaction: Transaction<Database>,
  unrated: readonly UnratedEvent[],
  reference: string,
): Promise<void> {
  if (unrated.length === 0) return;
  const rows = unrated.map((event) => [
    event.organisation,
    event.sku,
    event.atMs,
    event.quantity === undefined ? null : String(event.quantity),
    event.isBatch,
    event.events ?? 1,
    event.reason,
    event.reference ?? reference,
  ]);
  await sql`
    INSERT INTO unrated_usage (organisation, sku, at, quantity, is_batch, events, reason, reference)
    SELECT e ->> 0, e ->> 1, timestamptz 'epoch' + (e ->> 2)::bigint * interval '1 millisecond',
      (e ->> 3)::numeric * 0.000000001, (e ->> 4)::boolean, (e ->> 5)::bigint, e ->> 6, e ->> 7
    FROM json_array_elements(${JSON.stringify(rows)}::json) AS e`.execute(transaction);
}

/** What is unrated, as it waits. */
export interface UnratedRow {
  readonly number: number;
  readonly organisation: OrganisationId;
  readonly sku: string;
  readonly atMs: number;
  readonly quantity: bigint | undefined;
  readonly isBatch: boolean;
  readonly events: number;
  readonly reason: string;
  readonly reference: string;
  /** That it will never be billed. */
  readonly dropped: Dropped | undefined;
}

export interface Dropped {
  readonly at: Date;
  readonly by: string;
  readonly reason: string;
}

interface RawUnrated extends Pick<UnratedRow, "organisation" | "sku" | "isBatch" | "reason" | "reference"> {
  readonly number: string;
  readonly atMs: string;
  readonly quantity: string | null;
  readonly events: string;
  readonly ratedAt: Date | null;
  readonly droppedBy: string | null;
  readonly droppedFor: string | null;
}

/** Those behind a number, in order: what waits, or what was written off. `isLocked`: nobody else rates them until the transaction ends. */
export async function findUnrated(
  db: Kysely<Database>,
  question: {
    readonly after: number;
    readonly limit: number;
    readonly number?: number;
    readonly isLocked?: boolean;
    readonly isDropped?: boolean;
  },
): Promise<readonly UnratedRow[]> {
  const { after, limit, number, isLocked, isDropped } = question;
  const { rows } = await sql<RawUnrated>`
    SELECT number, organisation, sku, (extract(epoch FROM at) * 1000)::bigint AS at_ms,
      (quantity * 1000000000)::numeric(47, 0) AS quantity, is_batch, events, reason, reference, rated_at, dropped_by, dropped_for
    FROM unrated_usage
    WHERE ${isDropped === true ? sql`dropped_by IS NOT NULL` : sql`rated_at IS NULL`} AND number > ${after} ${number === undefined ? sql`` : sql`AND number = ${number}`}
    ORDER BY number LIMIT ${limit} ${isLocked === true ? sql`FOR UPDATE` : sql``}`.execute(db);
  return rows.map(({ ratedAt, droppedBy, droppedFor, ...row }) => ({
    ...row,
    number: Number(row.number),
    atMs: Number(row.atMs),
    quantity: row.quantity === null ? undefined : BigInt(row.quantity),
    events: Number(row.events),
    dropped: droppedBy === null ? undefined : { at: ratedAt!, by: droppedBy, reason: droppedFor! },
  }));
}

/** What became of one that waits no more. */
export interface Settled {
  readonly at: Date;
  /** A decimal string. */
  readonly quantity: string;
  readonly dropped: Omit<Dropped, "at"> | undefined;
}

/** undefined: it waits, or there is none. */
export async function findSettled(db: Kysely<Database>, number: number): Promise<Settled | undefined> {
  const row = await db
    .selectFrom("unratedUsage")
    .select(["ratedAt", "droppedBy", "droppedFor", sql<string>`trim_scale(rated_quantity)::text`.as("quantity")])
    .where("number", "=", String(number))
    .where("ratedAt", "is not", null)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { ratedAt, quantity, droppedBy, droppedFor } = row;
  const dropped = droppedBy === null ? undefined : { by: droppedBy, reason: droppedFor! };
  return { at: ratedAt!, quantity, dropped };
}

/** How many wait for a price or a quantity. */
export async function countUnrated(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    SELECT count(*) AS count FROM unrated_usage WHERE rated_at IS NULL`.execute(db);
  return Number(rows[0]!.count);
}

/** Writes one off: nothing of it is ever rated. */
export async function setDropped(
  transaction: Transaction<Database>,
  number: number,
  { at, by, reason }: Dropped,
): Promise<void> {
  await transaction
    .updateTable("unratedUsage")
    .set({ ratedAt: at, ratedQuantity: "0", droppedBy: by, droppedFor: reason })
    .where("number", "=", String(number))
    .where("ratedAt", "is", null)
    .executeTakeFirstOrThrow();
}

export async function setRated(
  transaction: Transaction<Database>,
  rated: readonly { readonly number: number; readonly quantity: bigint }[],
  nowMs: number,
): Promise<void> {
  if (rated.length === 0) return;
  const rows = rated.map(({ number, quantity }) => [number, String(quantity)]);
  await sql`
    UPDATE unrated_usage SET rated_at = ${new Date(nowMs)}, rated_quantity = (e ->> 1)::numeric * 0.000000001
    FROM json_array_elements(${JSON.stringify(rows)}::json) AS e WHERE number = (e ->> 0)::bigint`.execute(transaction);
}
