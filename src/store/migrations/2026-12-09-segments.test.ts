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
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

test("sums that a release before has accrued are where their customer's last accrual of that period went", async () => {
  await migrate(db, "2026-12-08-payments");
  await db.transaction().execute(async (transaction) => {
    const run = (statement: string) => sql.raw(statement).execute(transaction);
    for (const [period, closed] of [
      ["2026-02", "'2026-03-02T00:00:00Z'"],
      ["2026-03", "NULL"],
    ] as const) {
      await run(`INSERT INTO ledger_periods (period, starts_at, ends_at, closed_at, closed_by)
        VALUES ('${period}', '${period}-01T00:00:00Z', '${period}-28T00:00:00Z', ${closed}, ${closed === "NULL" ? closed : "'me'"})`);
    }
    for (const [period, organisation] of [
      ["2026-02", "inside"],
      ["2026-03", "inside"],
      ["2026-03", "outside"],
      ["2026-03", "joined"],
    ] as const) {
      await run(`INSERT INTO usage_sums (billed_in, organisation, sku, period, terms_from, currency, quantity, batch, off_peak, events, accrued, last_at)
        VALUES ('${period}', '${organisation}', 'c/x', '${period}', 0, 'EUR', 1, 0, 0, 1, 1, '${period}-02T00:00:00Z')`);
    }
    let number = 0;
    for (const [organisation, account] of [
      ["inside", "intersegment/other"],
      ["outside", "revenue/other"],
      ["joined", "revenue/other"],
      ["joined", "intersegment/other"],
    ] as const) {
      number += 1;
      await run(`INSERT INTO ledger_transactions (number, kind, period, at, reference, created_at)
        VALUES (${number}, 'accrual', '2026-03', '2026-03-02T00:00:00Z', 'call', '2026-03-02T00:00:00Z')`);
      await run(`INSERT INTO ledger_postings (transaction, line, account, organisation, currency, amount)
        VALUES (${number}, 1, 'unbilled-receivables', '${organisation}', 'EUR', 1), (${number}, 2, '${account}', '${organisation}', 'EUR', -1)`);
    }
  });
  await migrate(db, "2026-12-09-segments");
  const rows = await db
    .selectFrom("usageSums")
    .select(["organisation", "isInternal"])
    .where("billedIn", "=", "2026-03")
    .execute();
  assert.deepEqual(Object.fromEntries(rows.map(({ organisation, isInternal }) => [organisation, isInternal])), {
    inside: true,
    outside: false,
    joined: true,
  });
});
