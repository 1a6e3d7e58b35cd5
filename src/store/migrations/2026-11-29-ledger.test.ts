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
  await migrate(db, "2026-11-29-ledger");
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

type Amounts = readonly (readonly [currency: string, amount: string])[];

function post(amounts: Amounts, period = "2026-03"): Promise<string> {
  return db.transaction().execute(async (transaction) => {
    const head = { kind: "bill", period, at: new Date(0), reference: "r", createdAt: new Date(0) };
    const { number } = await transaction
      .insertInto("ledgerTransactions")
      .values(head)
      .returning("number")
      .executeTakeFirstOrThrow();
    for (const [index, [currency, amount]] of amounts.entries()) {
      const posting = { transaction: number, line: index + 1, account: "a", organisation: null, currency, amount };
      await transaction.insertInto("ledgerPostings").values(posting).execute();
    }
    return number;
  });
}

const balanced: Amounts = [
  ["EUR", "0.000000000001"],
  ["EUR", "-0.000000000001"],
];

test("the database refuses what does not balance in each currency, and a transaction of nothing", async () => {
  await post(balanced);
  await assert.rejects(post([["EUR", "1"]]), /does not balance: 1.000000000000 EUR/);
  await assert.rejects(
    post([
      ["EUR", "1"],
      ["JPY", "-1"],
    ]),
    /does not balance/,
  );
  await assert.rejects(post([]), /it has no postings/);
  await assert.rejects(post([["EUR", "0"]]), /amount/);
});

test("what is in the ledger is neither changed, nor deleted, nor added to", async () => {
  const number = await post(balanced);
  for (const statement of [
    "UPDATE ledger_postings SET amount = 2",
    "DELETE FROM ledger_postings",
    "UPDATE ledger_transactions SET period = '2026-04'",
    "DELETE FROM ledger_transactions",
  ]) {
    await assert.rejects(sql.raw(statement).execute(db), /reversed and replaced/, statement);
  }
  await assert.rejects(sql`TRUNCATE ledger_transactions, ledger_postings`.execute(db), /only added to/);
  await assert.rejects(
    sql`INSERT INTO ledger_postings (transaction, line, account, currency, amount)
      VALUES (${number}, 3, 'a', 'EUR', 1), (${number}, 4, 'a', 'EUR', -1)`.execute(db),
    /is whole/,
  );
  await assert.rejects(
    sql`INSERT INTO ledger_postings (transaction, line, account, currency, amount)
      VALUES (999999, 1, 'a', 'EUR', 1), (999999, 2, 'a', 'EUR', -1)`.execute(db),
    /there is no transaction 999999/,
  );
});

test("nothing is posted into a period that is closed, and it stays closed", async () => {
  const period = { period: "2026-02", startsAt: new Date(0), endsAt: new Date(1) };
  await db.insertInto("ledgerPeriods").values(period).execute();
  await post(balanced, "2026-02");
  await db
    .updateTable("ledgerPeriods")
    .set({ closedAt: new Date(2), closedBy: "me" })
    .execute();
  await assert.rejects(post(balanced, "2026-02"), /period 2026-02 is closed/);
  await post(balanced, "2026-03");
  await assert.rejects(db.updateTable("ledgerPeriods").set({ closedAt: null, closedBy: null }).execute(), /is closed/);
  await assert.rejects(db.deleteFrom("ledgerPeriods").execute(), /is closed/);
});

test("an invoice's state moves, and what it says stays", async () => {
  const invoice = {
    id: "inv_1" as const,
    organisation: "org_A" as const,
    period: "2026-02",
    currency: "EUR",
    bill: "{}",
  };
  const money = { net: "1", tax: "0.2", gross: "1.2", residual: "0", createdAt: new Date(0) };
  await db
    .insertInto("invoices")
    .values({ ...invoice, ...money })
    .execute();
  await db.updateTable("invoices").set({ state: "final" }).execute();
  await assert.rejects(db.updateTable("invoices").set({ gross: "1.3", net: "1.1" }).execute(), /never changed/);
  await assert.rejects(db.deleteFrom("invoices").execute(), /never changed/);
  await assert.rejects(
    db
      .insertInto("invoices")
      .values({ ...invoice, ...money, id: "inv_2", gross: "9", period: "x" })
      .execute(),
    /check/,
  );
  await assert.rejects(
    db
      .insertInto("invoices")
      .values({ ...invoice, ...money, id: "inv_3" })
      .execute(),
    /unique/,
  );
});
