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

test("usage that is there has no tier, and usage has one of the three or none", async () => {
  await migrate(db, "2026-12-02-alerts");
  await sql`INSERT INTO usage (request, gateway, segment, record_offset, organisation, project, key, model, endpoint, site,
      ending, started_at, ended_at, unrated)
    VALUES ('req_A', 'gw_A', 1, 0, 'org_A', 'prj_A', 'key_A', 'm', 'e', 's', 'stop', now(), now(), 'no price')`.execute(
    db,
  );
  await migrate(db, "2026-12-03-usage-tiers");
  const row = () => db.selectFrom("usage").select(["tier", "ttftMs", "tpotMs"]).executeTakeFirstOrThrow();
  assert.deepEqual(await row(), { tier: null, ttftMs: null, tpotMs: null });
  for (const tier of ["interactive", "batch", "standard", null] as const) {
    await db.updateTable("usage").set({ tier, ttftMs: 10, tpotMs: 1 }).execute();
    assert.deepEqual(await row(), { tier, ttftMs: "10", tpotMs: "1" });
  }
  for (const wrong of ["flex", "Batch", ""]) {
    await assert.rejects(sql`UPDATE usage SET tier = ${wrong}`.execute(db), /tier/, wrong);
  }
});
