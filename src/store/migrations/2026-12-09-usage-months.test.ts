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

test("sums of long periods are of the month of their last use, within the period on whose bill they stand", async () => {
  await migrate(db, "2026-12-09-segments");
  const sum = {
    organisation: "org_A",
    sku: "s",
    termsFrom: 0,
    currency: "EUR",
    isInternal: false,
    batch: "0",
    offPeak: "0",
    events: 1,
  } as const;
  const summed = (billedIn: string, period: string, lastAt: string) =>
    db
      .insertInto("usageSums")
      .values({ ...sum, billedIn, period, lastAt: new Date(lastAt), quantity: "2", accrued: "3" })
      .execute();
  await summed("2026-02", "2026-02", "2026-02-10T00:00:00Z");
  await summed("2026-Q2", "2026-Q2", "2026-05-10T00:00:00Z");
  await summed("2026-Q3", "2026-Q2", "2026-05-10T00:00:00Z");
  // In Shanghai it is the first quarter.
  await summed("2027-Q1", "2027-Q1", "2026-12-31T20:00:00Z");
  await summed("2025", "2025", "2025-11-10T00:00:00Z");
  await summed("2026", "2025", "2025-11-10T00:00:00Z");
  await sql`INSERT INTO usage (request, gateway, segment, record_offset, organisation, project, key, model, endpoint, site,
      ending, started_at, ended_at, unrated)
    VALUES ('req_A', 'gw_A', 1, 0, 'org_A', 'prj_A', 'key_A', 'm', 'e', 's', 'stop', now(), now(), 'no price')`.execute(
    db,
  );
  await migrate(db, "2026-12-09-usage-months");
  const rows = await db.selectFrom("usageMonths").selectAll().orderBy("month").orderBy("billedIn").execute();
  assert.deepEqual(
    rows.map(({ month, billedIn }) => `${billedIn} ${month}`),
    ["2025 2025-11", "2026 2026-01", "2026-Q2 2026-05", "2026-Q3 2026-07", "2027-Q1 2027-01"],
  );
  assert.ok(rows.every(({ quantity, accrued }) => Number(quantity) === 2 && Number(accrued) === 3));
  assert.deepEqual(await db.selectFrom("usage").select("isLate").execute(), [{ isLate: false }]);
});
