import { type Kysely, sql, type Transaction } from "kysely";
import type { OrganisationId } from "../base/index.ts";
import { column, rowsOf } from "./columns.ts";
import type { Database } from "./schema.ts";

/** One line of a double entry: a debit above 0, a credit below, in units of 10^-12. */
export interface Posting {
  readonly account: string;
  readonly organisation: OrganisationId | null;
  readonly currency: string;
  readonly amount: bigint;
}

/** Postings that balance in each currency. */
export interface Entry {
  readonly kind: string;
  readonly period: string;
  readonly atMs: number;
  /** What it was made from. */
  readonly reference: string;
  readonly postings: readonly Posting[];
}

/** A period as the ledger has it. */
export interface LedgerPeriod {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface LedgerStanding {
  /** Up to which moment all is closed; undefined: nothing is. */
  readonly closedUntilMs: number | undefined;
  /** The epoch of prices. */
  readonly prices: number;
}

/** Any number that nobody else takes as a lock's. */
const ledgerLock = 5_172_811;

/** How the ledger stands, and stays until the transaction ends: whoever closes a period or applies a price book waits. */
export async function holdLedger(transaction: Transaction<Database>): Promise<LedgerStanding> {
  await sql`SELECT pg_advisory_xact_lock_shared(${sql.lit(ledgerLock)})`.execute(transaction);
  return standingOf(transaction);
}

/** The same for who changes how it stands: alone. */
export async function takeLedger(transaction: Transaction<Database>): Promise<LedgerStanding> {
  await sql`SELECT pg_advisory_xact_lock(${sql.lit(ledgerLock)})`.execute(transaction);
  return standingOf(transaction);
}

/** Whether nobody else closes a period at this moment; held until the transaction ends. */
export async function tryClosing(transaction: Transaction<Database>): Promise<boolean> {
  const { rows } = await sql<{ isFree: boolean }>`
    SELECT pg_try_advisory_xact_lock(${sql.lit(ledgerLock + 1)}) AS is_free`.execute(transaction);
  return rows[0]!.isFree;
}

async function standingOf(transaction: Transaction<Database>): Promise<LedgerStanding> {
  const { rows } = await sql<{ closedUntilMs: string | null; prices: string | null }>`
    SELECT (SELECT (extract(epoch FROM max(ends_at)) * 1000)::bigint FROM ledger_periods WHERE closed_at IS NOT NULL)
        AS closed_until_ms,
      (SELECT number FROM epochs WHERE name = 'prices') AS prices`.execute(transaction);
  const { closedUntilMs, prices } = rows[0]!;
  return {
    closedUntilMs: closedUntilMs === null ? undefined : Number(closedUntilMs),
    prices: Number(prices ?? 0),
  };
}

/** Up to which moment all is closed; undefined: nothing is. */
export async function closedUntil(db: Kysely<Database>): Promise<number | undefined> {
  const row = await db
    .selectFrom("ledgerPeriods")
    .select((expression) => expression.fn.max("endsAt").as("endsAt"))
    .where("closedAt", "is not", null)
    .executeTakeFirst();
  return row?.endsAt?.getTime();
}

/** Notes that periods are in use. */
export async function openPeriods(transaction: Transaction<Database>, periods: readonly LedgerPeriod[]): Promise<void> {
  if (periods.length === 0) return;
  const rows = periods.map(({ name, startMs, endMs }) => [name, startMs, endMs]);
  await sql`
    INSERT INTO ledger_periods (period, starts_at, ends_at)
    SELECT e ->> 0, timestamptz 'epoch' + (e ->> 1)::bigint * interval '1 millisecond',
      timestamptz 'epoch' + (e ->> 2)::bigint * interval '1 millisecond'
    FROM json_array_elements(${JSON.stringify(rows)}::json) AS e
    ORDER BY 1
    ON CONFLICT (period) DO NOTHING`.execute(transaction);
}

const entriesAtOnce = 2_000;

/** Puts entries into the ledger, each a transaction of its own; the database refuses what does not balance at its commit. Their numbers. */
export async function addEntries(
  transaction: Transaction<Database>,
  entries: readonly Entry[],
  nowMs: number,
): Promise<readonly bigint[]> {
  const all: bigint[] = [];
  for (let from = 0; from < entries.length; from += entriesAtOnce) {
    const some = entries.slice(from, from + entriesAtOnce);
    const heads = some.map(({ kind, period, atMs, reference }) => [kind, period, atMs, reference]);
    const { rows } = await sql<{ number: string }>`
      INSERT INTO ledger_transactions (kind, period, at, reference, created_at)
      SELECT e ->> 0, e ->> 1, timestamptz 'epoch' + (e ->> 2)::bigint * interval '1 millisecond', e ->> 3, ${new Date(nowMs)}
      FROM json_array_elements(${JSON.stringify(heads)}::json) WITH ORDINALITY AS t (e, place)
      ORDER BY place
      RETURNING number`.execute(transaction);
    // Numbers are drawn in the order of the places.
    const numbers = rows.map(({ number }) => BigInt(number)).toSorted((a, b) => (a < b ? -1 : 1));
    all.push(...numbers);
    const postings = some.flatMap((entry, index) =>
      entry.postings.map((posting, line) => ({ ...posting, transaction: numbers[index]!, line: line + 1 })),
    );
    await sql`
      INSERT INTO ledger_postings (transaction, line, account, organisation, currency, amount)
      SELECT transaction, line, account, organisation, currency, amount * 0.000000000001
      FROM ${rowsOf({
        transaction: column(postings, "bigint", ({ transaction }) => transaction),
        line: column(postings, "integer", ({ line }) => line),
        account: column(postings, "text", ({ account }) => account),
        organisation: column(postings, "text", ({ organisation }) => organisation),
        currency: column(postings, "text", ({ currency }) => currency),
        amount: column(postings, "numeric", ({ amount }) => amount),
      })} AS posting`.execute(transaction);
  }
  return all;
}

export interface Balance {
  readonly account: string;
  readonly currency: string;
  /** Exact decimal strings. */
  readonly debit: string;
  readonly credit: string;
  /** Debit less credit. */
  readonly balance: string;
}

/** What each account has in each currency: of periods that end at a moment or before, or as of now. */
export async function balances(db: Kysely<Database>, untilMs?: number): Promise<readonly Balance[]> {
  const until =
    untilMs === undefined
      ? sql``
      : sql`JOIN ledger_transactions ON number = transaction
    JOIN ledger_periods USING (period) WHERE ends_at <= ${new Date(untilMs)}`;
  const { rows } = await sql<Balance>`
    SELECT account, currency, trim_scale(coalesce(sum(amount) FILTER (WHERE amount > 0), 0))::text AS debit,
      trim_scale(coalesce(-sum(amount) FILTER (WHERE amount < 0), 0))::text AS credit,
      trim_scale(sum(amount))::text AS balance
    FROM ledger_postings ${until}
    GROUP BY account, currency ORDER BY account, currency`.execute(db);
  return rows;
}
