import assert from "node:assert/strict";
import { type Kysely, sql } from "kysely";
import type { Database } from "../../src/store/index.ts";

/** Where rows have numbers of a sequence, of which a transaction that is rolled back leaves some out. */
const sequences: Readonly<Record<string, string>> = {
  alerts: "number",
  decisions: "number",
  invoice_payments: "transaction",
  ledger_postings: "transaction",
  ledger_transactions: "number",
  refusals: "number",
  unrated_usage: "number",
  wallet_movements: "number",
};

type Row = Readonly<Record<string, string | null>>;

/**
 * All that a database holds, as text: what is minted is called by the order in which it was, and what a sequence numbers counts from 1. Two
 * clouds to which the same has happened have the same.
 */
export async function booksIn(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ name: string; row: Row }>`${await everything(db)}`.execute(db);
  const tables = Map.groupBy(rows, ({ name }) => name);
  const lines = [...tables].flatMap(([name, some]) =>
    counted(
      name,
      some.map(({ row }) => row),
    ),
  );
  const seen = new Map<string, string>();
  return lines.join("\n").replaceAll(/\b([a-z]+)_[0-9A-HJKMNP-TV-Z]{26}\b/g, (id, prefix: string) => {
    if (!seen.has(id)) seen.set(id, `${prefix}#${seen.size}`);
    return seen.get(id)!;
  });
}

/** One query over all tables, with each value as text, to its last decimal. */
async function everything(db: Kysely<Database>) {
  const { rows } = await sql<{ name: string }>`
    SELECT table_name AS name FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name NOT LIKE 'kysely%' ORDER BY 1`.execute(db);
  const each = rows.map(
    ({ name }) => sql`
    SELECT ${name}::text AS name, (SELECT json_object_agg(key, value #>> '{}' ORDER BY key)
      FROM jsonb_each(to_jsonb(t))) AS row FROM ${sql.id(name)} AS t`,
  );
  return sql`${sql.join(each, sql` UNION ALL `)}`;
}

function counted(name: string, rows: readonly Row[]): readonly string[] {
  const column = sequences[name];
  if (column === undefined) return rows.map((row) => `${name} ${JSON.stringify(row)}`).toSorted();
  const drawn = [...new Set(rows.map((row) => Number(row[column])))].toSorted((a, b) => a - b);
  return rows
    .map((row) => {
      const count = String(drawn.indexOf(Number(row[column])) + 1).padStart(6, "0");
      return `${name} ${count} ${JSON.stringify({ ...row, [column]: count })}`;
    })
    .toSorted();
}

/** What holds of books at every moment, whoever was killed when. */
export async function assertSound(db: Kysely<Database>): Promise<void> {
  const { rows: unbalanced } = await sql`
    SELECT transaction, currency FROM ledger_postings GROUP BY transaction, currency HAVING sum(amount) <> 0
    UNION ALL SELECT NULL, currency FROM ledger_postings GROUP BY currency HAVING sum(amount) <> 0`.execute(db);
  assert.deepEqual(unbalanced, [], "each posting has its counterpart");
  const { rows: gaps } = await sql`
    SELECT kind FROM invoice_documents GROUP BY kind HAVING max(right(number, 6)::bigint) <> count(*)
    UNION ALL
    SELECT 'series' FROM invoice_series HAVING sum(last) <> (SELECT count(*) FROM invoice_documents)`.execute(db);
  assert.deepEqual(gaps, [], "no number is missing");
  const { rows: undocumented } = await sql`
    SELECT id FROM invoices WHERE (state = 'draft') = EXISTS
      (SELECT FROM invoice_documents WHERE invoice = id AND kind = 'invoice')`.execute(db);
  assert.deepEqual(undocumented, [], "what is final has its document, and nothing else has");
  const { rows: unsettled } = await sql`
    SELECT id FROM invoices WHERE (state = 'paid' AND invoice_open(id) > 0) OR (state = 'void' AND invoice_open(id) <> 0)
    UNION ALL
    SELECT invoice FROM invoice_payments GROUP BY invoice HAVING sum(CASE kind WHEN 'payment' THEN amount ELSE -amount END) <>
      (SELECT sum(amount) FROM ledger_transactions JOIN ledger_postings ON transaction = number
        WHERE reference = invoice AND account = 'cash')`.execute(db);
  assert.deepEqual(unsettled, [], "of what is paid nothing is open, and payments are what the ledger has of them");
}
