import { type Kysely, sql, type Transaction } from "kysely";
import type { GatewayId, InvoiceId, OrganisationId } from "../base/index.ts";
import type { Position } from "./batch.ts";
import { closedUntil } from "./ledger.ts";
import type { Database } from "./schema.ts";

/** Whose grants, in which currency. */
export interface WalletKey {
  readonly organisation: OrganisationId;
  readonly currency: string;
}

/** A grant as it was made; money and credits in units of 10^-12. */
export interface NewGrant extends WalletKey {
  readonly id: string;
  readonly credits: bigint;
  readonly paid: bigint;
  readonly priority: number;
  readonly fromMs: number;
  readonly expiresMs: number | undefined;
  readonly rollover: { readonly most: bigint; readonly untilMs: number } | undefined;
  /** Exact decimal string. */
  readonly breakagePercent: string;
  readonly note: string | undefined;
  /** SHA-256 of what was asked for. */
  readonly digest: Buffer;
  readonly createdAtMs: number;
  readonly createdBy: string;
}

/** A grant, and how much of it was used, has lapsed, and was taken back with its purchase. */
export interface GrantRow extends NewGrant {
  readonly drawn: bigint;
  readonly lapsed: bigint;
  readonly returned: bigint;
  /** Of its purchase; null of a gift. */
  readonly invoice: InvoiceId | null;
}

/** What becomes of a grant's credits. */
export interface WalletMovement extends WalletKey {
  readonly grant: string;
  readonly kind: "draw" | "lapse" | "return";
  readonly credits: bigint;
  readonly atMs: number;
  readonly reference: string;
}

const text = (units: bigint): string => `${units}e-12`;

/** Makes a grant; false: there is one of this id. */
export async function addGrant(transaction: Transaction<Database>, grant: NewGrant): Promise<boolean> {
  const { rollover } = grant;
  const added = await transaction
    .insertInto("walletGrants")
    .values({
      organisation: grant.organisation,
      id: grant.id,
      currency: grant.currency,
      credits: text(grant.credits),
      paid: text(grant.paid),
      priority: grant.priority,
      fromAt: new Date(grant.fromMs),
      expiresAt: grant.expiresMs === undefined ? null : new Date(grant.expiresMs),
      rolloverMost: rollover === undefined ? null : text(rollover.most),
      rolloverUntil: rollover === undefined ? null : new Date(rollover.untilMs),
      breakagePercent: grant.breakagePercent,
      note: grant.note ?? null,
      digest: grant.digest,
      createdAt: new Date(grant.createdAtMs),
      createdBy: grant.createdBy,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return added.numInsertedOrUpdatedRows === 1n;
}

interface RawGrant extends Omit<
  GrantRow,
  "credits" | "paid" | "fromMs" | "expiresMs" | "rollover" | "note" | "createdAtMs" | "drawn" | "lapsed" | "returned"
> {
  readonly credits: string;
  readonly paid: string;
  readonly drawn: string;
  readonly lapsed: string;
  readonly returned: string;
  readonly fromAt: Date;
  readonly expiresAt: Date | null;
  readonly rolloverMost: string | null;
  readonly rolloverUntil: Date | null;
  readonly note: string | null;
  readonly createdAt: Date;
}

/** Grants in the order in which they were made; those with nothing left too, unless `isOpen`. */
export async function findGrants(
  db: Kysely<Database>,
  wanted: { readonly organisations?: readonly OrganisationId[]; readonly id?: string; readonly isOpen?: boolean } = {},
): Promise<readonly GrantRow[]> {
  const { organisations, id, isOpen } = wanted;
  const filters = [
    sql`true`,
    ...(organisations === undefined ? [] : [sql`g.organisation = ANY(${organisations}::text[])`]),
    ...(id === undefined ? [] : [sql`g.id = ${id}`]),
    ...(isOpen === true ? [sql`g.credits > coalesce(m.taken, 0)`] : []),
  ];
  const { rows } = await sql<RawGrant>`
    SELECT g.organisation, g.id, g.currency, (g.credits * 1000000000000)::numeric(50, 0) AS credits,
      (g.paid * 1000000000000)::numeric(50, 0) AS paid, g.priority, g.from_at, g.expires_at,
      (g.rollover_most * 1000000000000)::numeric(50, 0) AS rollover_most, g.rollover_until,
      trim_scale(g.breakage_percent)::text AS breakage_percent, g.note, g.digest, g.created_at, g.created_by,
      (coalesce(m.drawn, 0) * 1000000000000)::numeric(50, 0) AS drawn,
      (coalesce(m.lapsed, 0) * 1000000000000)::numeric(50, 0) AS lapsed,
      (coalesce(m.returned, 0) * 1000000000000)::numeric(50, 0) AS returned, i.id AS invoice
    FROM wallet_grants g LEFT JOIN LATERAL (
      SELECT sum(credits) FILTER (WHERE kind = 'draw') AS drawn, sum(credits) FILTER (WHERE kind = 'lapse') AS lapsed,
        sum(credits) FILTER (WHERE kind = 'return') AS returned, sum(credits) AS taken
      FROM wallet_movements WHERE organisation = g.organisation AND grant_id = g.id
    ) AS m ON true LEFT JOIN invoices i ON i.organisation = g.organisation AND i.grant_id = g.id
    WHERE ${sql.join(filters, sql` AND `)} ORDER BY g.organisation, g.created_at, g.id`.execute(db);
  return rows.map(grantOf);
}

function grantOf(row: RawGrant): GrantRow {
  const { fromAt, expiresAt, rolloverMost, rolloverUntil, note, createdAt, ...rest } = row;
  return {
    ...rest,
    credits: BigInt(row.credits),
    paid: BigInt(row.paid),
    drawn: BigInt(row.drawn),
    lapsed: BigInt(row.lapsed),
    returned: BigInt(row.returned),
    fromMs: fromAt.getTime(),
    expiresMs: expiresAt?.getTime(),
    rollover:
      rolloverMost === null || rolloverUntil === null
        ? undefined
        : { most: BigInt(rolloverMost), untilMs: rolloverUntil.getTime() },
    note: note ?? undefined,
    createdAtMs: createdAt.getTime(),
  };
}

/** Takes credits from grants; the database refuses more than there are. */
export async function addMovements(
  transaction: Transaction<Database>,
  movements: readonly WalletMovement[],
  nowMs: number,
): Promise<void> {
  if (movements.length === 0) return;
  const rows = movements.map(({ organisation, grant, kind, credits, atMs, reference }) => [
    organisation,
    grant,
    kind,
    String(credits),
    atMs,
    reference,
  ]);
  await sql`
    INSERT INTO wallet_movements (organisation, grant_id, kind, credits, at, reference, created_at)
    SELECT e ->> 0, e ->> 1, e ->> 2, (e ->> 3)::numeric * 0.000000000001,
      timestamptz 'epoch' + (e ->> 4)::bigint * interval '1 millisecond', e ->> 5, ${new Date(nowMs)}
    FROM json_array_elements(${JSON.stringify(rows)}::json) WITH ORDINALITY AS t (e, place)
    ORDER BY place`.execute(transaction);
}

/** What became of a wallet's grants, one after the other. */
export interface MovementRow {
  readonly number: number;
  readonly grant: string;
  readonly kind: "draw" | "lapse" | "return";
  /** Exact decimal string. */
  readonly credits: string;
  readonly at: Date;
  readonly reference: string;
}

export async function movementsPage(
  db: Kysely<Database>,
  {
    organisation,
    currency,
    after,
    limit,
  }: WalletKey & {
    readonly after: number;
    readonly limit: number;
  },
): Promise<readonly MovementRow[]> {
  const { rows } = await sql<Omit<MovementRow, "number"> & { readonly number: string }>`
    SELECT m.number, m.grant_id AS grant, m.kind, trim_scale(m.credits)::text AS credits, m.at, m.reference
    FROM wallet_movements m JOIN wallet_grants g ON g.organisation = m.organisation AND g.id = m.grant_id
    WHERE m.organisation = ${organisation} AND g.currency = ${currency} AND m.number > ${after}::bigint
    ORDER BY m.number LIMIT ${limit}::bigint`.execute(db);
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}

/** What is unbilled of an organisation, by the period with which it will be billed. */
export interface Unbilled extends WalletKey {
  readonly period: string;
  /** In units of 10^-12. */
  readonly accrued: bigint;
}

/** How wallets stand at one moment, and how far each gateway's journal is in that. */
export interface WalletStanding {
  readonly grants: readonly GrantRow[];
  readonly unbilled: readonly Unbilled[];
  readonly prepaid: readonly OrganisationId[];
  readonly closedUntilMs: number | undefined;
  readonly watermarks: ReadonlyMap<GatewayId, Position>;
}

/** Reads how wallets stand: of prepaid organisations and all that have grants, or of those that are named; `isOpen`: grants with something left. */
export async function walletStanding(
  db: Kysely<Database>,
  wanted: { readonly organisations?: readonly OrganisationId[]; readonly isOpen?: boolean } = {},
): Promise<WalletStanding> {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      const rows = await transaction.selectFrom("organisations").select("id").where("isPrepaid", "=", true).execute();
      const prepaid = rows.map(({ id }) => id);
      const grants = await findGrants(transaction, wanted);
      const whose = wanted.organisations ?? [
        ...new Set([...prepaid, ...grants.map(({ organisation }) => organisation)]),
      ];
      const marks = await transaction.selectFrom("watermarks").selectAll().execute();
      return {
        grants,
        prepaid,
        unbilled: whose.length === 0 ? [] : await unbilledOf(transaction, whose),
        closedUntilMs: await closedUntil(transaction),
        watermarks: new Map(
          marks.map((mark) => [mark.gateway, { segment: Number(mark.segment), offset: Number(mark.recordOffset) }]),
        ),
      };
    });
}

/** Organisations that are prepaid or have grants, by their ids. */
export async function walletOwners(
  db: Kysely<Database>,
  { after, limit }: { readonly after: OrganisationId; readonly limit: number },
): Promise<readonly OrganisationId[]> {
  const { rows } = await sql<{ id: OrganisationId }>`
    SELECT o.id FROM organisations o
    WHERE o.id > ${after}
      AND (o.is_prepaid OR EXISTS (SELECT FROM wallet_grants g WHERE g.organisation = o.id))
    ORDER BY o.id LIMIT ${limit}::bigint`.execute(db);
  return rows.map(({ id }) => id);
}

async function unbilledOf(
  transaction: Transaction<Database>,
  organisations: readonly OrganisationId[],
): Promise<readonly Unbilled[]> {
  const { rows } = await sql<Omit<Unbilled, "accrued"> & { readonly accrued: string }>`
    SELECT organisation, currency, billed_in AS period, (sum(accrued) * 1000000000000)::numeric(50, 0) AS accrued
    FROM usage_sums
    WHERE organisation = ANY(${organisations}::text[])
      AND billed_in IN (SELECT period FROM ledger_periods WHERE closed_at IS NULL)
    GROUP BY organisation, currency, billed_in ORDER BY billed_in`.execute(transaction);
  return rows.map((row) => ({ ...row, accrued: BigInt(row.accrued) }));
}
