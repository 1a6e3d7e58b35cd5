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
  await migrate(db, "2026-12-07-refused");
  // What a release before has left: an invoice that is paid, and one that is not.
  await run(...issued("inv_1", 1), ...posted("payment", "inv_1", { cash: "12", receivables: "-12" }));
  await run("UPDATE invoices SET state = 'paid' WHERE id = 'inv_1'", ...issued("inv_2", 2));
  await migrate(db, "2026-12-08-payments");
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

/** One transaction of the database. */
async function run(...statements: readonly string[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const statement of statements) await sql.raw(statement).execute(transaction);
  });
}

/** An entry of the ledger, under the next number. */
function posted(kind: string, reference: string, amounts: Readonly<Record<string, string>>): readonly string[] {
  return [
    `INSERT INTO ledger_transactions (number, kind, period, at, reference, created_at)
      VALUES ((SELECT coalesce(max(number), 0) + 1 FROM ledger_transactions), '${kind}', '2026-03',
        '2026-03-10T00:00:00Z', '${reference}', '2026-03-10T00:00:00Z')`,
    ...Object.entries(amounts).map(
      ([account, amount], at) => `INSERT INTO ledger_postings (transaction, line, account, currency, amount)
        SELECT max(number), ${at + 1}, '${account}', 'EUR', ${amount} FROM ledger_transactions`,
    ),
  ];
}

/** A final invoice of 12. */
function issued(id: string, number: number): readonly string[] {
  return [
    `INSERT INTO invoices (id, organisation, period, currency, bill, net, tax, gross, residual, created_at)
      VALUES ('${id}', 'org_${number}', '2026-02', 'EUR', '{}', 10, 2, 12, 0, '2026-03-02T00:00:00Z')`,
    `INSERT INTO invoice_documents (seller, number, kind, invoice, document, issue_date, issued_at, issued_by)
      VALUES ('s', 'INV-${number}', 'invoice', '${id}', '{}', '2026-03-02', '2026-03-02T00:00:00Z', 'me')`,
    ...posted("bill", id, { receivables: "12", "revenue/other": "-12" }),
    `UPDATE invoices SET state = 'final' WHERE id = '${id}'`,
  ];
}

const kept = (kind: string, id: string, amount: string, payment = "NULL"): string =>
  `INSERT INTO invoice_payments (invoice, id, kind, amount, payment, transaction, created_at)
    SELECT 'inv_2', '${id}', '${kind}', ${amount}, ${payment}, max(number), now() FROM ledger_transactions`;
const paid = (id: string, amount: string): readonly string[] => [
  ...posted("payment", "inv_2", { cash: amount, receivables: `-${amount}` }),
  kept("payment", id, amount),
];
const refunded = (id: string, amount: string, payment?: string): readonly string[] => [
  ...posted("refund", "inv_2", { cash: `-${amount}`, receivables: amount }),
  kept("refund", id, amount, payment),
];
const becomes = (state: string): string => `UPDATE invoices SET state = '${state}' WHERE id = 'inv_2'`;

test("what was paid before is a payment: all of its invoice, which nobody can ask for again", async () => {
  const rows = await db.selectFrom("invoicePayments").selectAll().execute();
  assert.deepEqual(
    rows.map(({ invoice, id, kind, amount, digest, createdBy }) => [
      invoice,
      id,
      kind,
      Number(amount),
      digest,
      createdBy,
    ]),
    [["inv_1", "transaction-2", "payment", 12, null, null]],
  );
});

test("a payment is what the ledger has of it, no more than is owed, and comes back whole and once", async () => {
  const alone = posted("payment", "inv_2", { cash: "1", receivables: "-1" });
  await assert.rejects(run(...alone), /no payment of an invoice/);
  await assert.rejects(
    run(...posted("bill", "inv_2", { cash: "1", a: "-1" }), kept("payment", "x", "1")),
    /has posted/,
  );
  await assert.rejects(run(...alone, kept("payment", "x", "2")), /is not what the ledger has posted/);
  await assert.rejects(run(...alone, kept("refund", "x", "1")), /is not what the ledger has posted/);
  await assert.rejects(run(...paid("x", "13")), /more was paid than is owed/);
  await assert.rejects(run(...refunded("x", "1")), /more refunded than was paid/);
  await run(...paid("a", "5"), ...paid("b", "7"));
  await assert.rejects(run(...paid("c", "1")), /more was paid than is owed/);
  await assert.rejects(run(...paid("a", "1")), /invoice_payments_pkey/);
  await assert.rejects(run(...refunded("x", "4", "'a'")), /comes back as a whole/);
  await assert.rejects(run(...refunded("x", "4", "'none'")), /comes back as a whole/);
  await run(...refunded("x", "5", "'a'"));
  await assert.rejects(run(...refunded("y", "5", "'a'")), /invoice_payments_return_once/);
});

test("an invoice is paid while nothing of it is open, and void once nothing of it is owed", async () => {
  await assert.rejects(run(becomes("paid")), /of which 5 is open does not become paid/);
  await assert.rejects(run(becomes("void")), /of which 5 is open does not become void/);
  await run(...paid("again", "5"), becomes("paid"));
  await assert.rejects(run(becomes("final")), /of which 0 is open does not become final/);
  await assert.rejects(run(becomes("void")), /paid does not become void/);
  await run(...refunded("z", "7", "'b'"), becomes("final"));
});

test("what was noted stays", async () => {
  for (const statement of [
    "UPDATE invoice_payments SET amount = 1",
    "UPDATE invoice_payments SET digest = sha256('')",
    "DELETE FROM invoice_payments",
    "TRUNCATE invoice_payments",
  ]) {
    await assert.rejects(run(statement), /never changed|only added to/, statement);
  }
});
