import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Kysely, sql } from "kysely";
import { connect } from "../connect.ts";
import type { Database } from "../schema.ts";
import { type TemporaryPostgres, temporaryPostgres } from "../testing.ts";
import { migrate } from "./index.ts";

let temporary: TemporaryPostgres;
let db: Kysely<Database>;

before(async () => {
  temporary = await temporaryPostgres();
  const connection = await temporary.emptyDatabase();
  db = connect({ connection, log: () => {}, connections: 1, statementTimeoutMs: 0 });
  await migrate(db, "2026-12-04-guards");
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

const head = (period: string, at: string): string =>
  `INSERT INTO ledger_transactions (number, kind, period, at, reference, created_at)
    VALUES ((SELECT coalesce(max(number), 0) + 1 FROM ledger_transactions), 'bill', '${period}', '${at}', 'r', '${at}')`;
const posting = (line: number, amount: string): string =>
  `INSERT INTO ledger_postings (transaction, line, account, currency, amount)
    SELECT max(number), ${line}, 'a', 'EUR', ${amount} FROM ledger_transactions`;
const entry = (period: string, at: string): readonly string[] => [head(period, at), posting(1, "1"), posting(2, "-1")];
const march = entry("2026-03", "2026-03-10T00:00:00Z");

/** One transaction of the database. */
async function run(...statements: readonly string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const statement of statements) await sql.raw(statement).execute(transaction);
  });
}

test("a posting that comes once its transaction was looked at has it looked at again", async () => {
  await run(...march);
  const early = "SET CONSTRAINTS ALL IMMEDIATE";
  await run(...march, early);
  await assert.rejects(run(...march, early, posting(3, "-777")), /does not balance: -777.000000000000 EUR/);
  await assert.rejects(run(...march, early, "SET CONSTRAINTS ALL DEFERRED", posting(3, "-777")), /does not balance/);
  // What is put beside the ledger beforehand does not keep the check away.
  const { number } = await db
    .selectFrom("ledgerTransactions")
    .select((select) => select.fn.max("number").as("number"))
    .executeTakeFirstOrThrow();
  const next = Number(number) + 1;
  await run(`INSERT INTO ledger_unchecked VALUES (${next + 1})`, `UPDATE ledger_unchecked SET transaction = ${next}`);
  await assert.rejects(run(...march, early, posting(3, "-777")), /does not balance/);
  await assert.rejects(run(...march, posting(3, "-777"), `DELETE FROM ledger_unchecked`), /does not balance/);
  await assert.rejects(run(march[0]!), /it has no postings/);
  await assert.rejects(run(march[0]!, early, ...march.slice(1)), /it has no postings/);
  assert.deepEqual((await sql`SELECT * FROM ledger_unchecked`.execute(db)).rows, []);
});

test("nothing is dated into what is closed, whatever period it names", async () => {
  await run(`INSERT INTO ledger_periods (period, starts_at, ends_at, closed_at, closed_by)
    VALUES ('2026-02', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', 'me')`);
  await run(...entry("2026-03", "2026-03-01T00:00:00Z"));
  for (const [period, at] of [
    ["2026-03", "2026-02-28T23:59:59.999Z"],
    ["2026-03", "2025-01-01T00:00:00Z"],
    ["2026-02", "2026-03-10T00:00:00Z"],
  ] as const) {
    await assert.rejects(run(...entry(period, at)), /period 2026-02 is closed/, `${period} ${at}`);
  }
});

const invoice = `INSERT INTO invoices (id, organisation, period, currency, bill, net, tax, gross, residual, created_at)
  VALUES ('inv_1', 'org_A', '2026-02', 'EUR', '{}', 1, 0.2, 1.2, 0, '2026-03-02T00:00:00Z')`;
const document = `INSERT INTO invoice_documents (seller, number, kind, invoice, document, issue_date, issued_at, issued_by)
  VALUES ('s', 'INV-1', 'invoice', 'inv_1', '{}', '2026-03-02', '2026-03-02T00:00:00Z', 'me')`;
const grant = `INSERT INTO wallet_grants (organisation, id, currency, credits, paid, priority, from_at, breakage_percent, digest,
    created_at, created_by)
  VALUES ('org_A', 'g', 'EUR', 1, 0, 0, '2026-03-02T00:00:00Z', 0, sha256(''), '2026-03-02T00:00:00Z', 'me')`;
const movement = `INSERT INTO wallet_movements (organisation, grant_id, kind, credits, at, reference, created_at)
  VALUES ('org_A', 'g', 'draw', 1, '2026-03-02T00:00:00Z', 'inv_1', '2026-03-02T00:00:00Z')`;
const records = `INSERT INTO usage_records (organisation, source, id, digest, received_at, reference)
  VALUES ('org_A', 's', '1', sha256(''), '2026-03-02T00:00:00Z', 'r')`;
const events = `INSERT INTO usage_events (organisation, source, id, sku, at, quantity, is_batch)
  VALUES ('org_A', 's', '1', 'm/x', '2026-03-02T00:00:00Z', 1, false)`;

test("what the books stand on is not emptied, and may be where it is empty", async () => {
  const empty = ["invoices, invoice_documents, invoice_series", "usage_records, usage_events"];
  for (const tables of empty) await run(`TRUNCATE ${tables}`);
  await run(
    invoice,
    document,
    "INSERT INTO invoice_series (series, last) VALUES ('s', 1)",
    grant,
    movement,
    records,
    events,
  );
  for (const statement of [
    "TRUNCATE ledger_periods",
    "TRUNCATE invoices CASCADE",
    "TRUNCATE invoice_documents",
    "TRUNCATE invoice_series",
    "TRUNCATE wallet_grants CASCADE",
    "TRUNCATE wallet_movements",
    "TRUNCATE usage_records",
    "TRUNCATE usage_events",
  ]) {
    await assert.rejects(run(statement), /only added to/, statement);
  }
  await assert.rejects(run("UPDATE usage_events SET quantity = 2"), /reversed and replaced/);
  await assert.rejects(run("DELETE FROM usage_records"), /reversed and replaced/);
});

test("no column of an invoice changes but its state, and a series goes on one by one", async () => {
  for (const change of [
    "residual = 5",
    "created_at = now()",
    "drawn = 0.5",
    "organisation = 'org_B'",
    "state = 'final', residual = 5",
  ]) {
    await assert.rejects(run(`UPDATE invoices SET ${change}`), /what an invoice says is never changed/, change);
  }
  await run("UPDATE invoices SET state = 'final'");
  await run("UPDATE invoice_series SET last = last + 1, newest = '2026-03-02'");
  for (const statement of [
    "UPDATE invoice_series SET last = 0",
    "UPDATE invoice_series SET last = last + 2",
    "UPDATE invoice_series SET series = 't'",
    "DELETE FROM invoice_series",
  ]) {
    await assert.rejects(run(statement), /goes on one by one/, statement);
  }
});
