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

test("projects that are there become standard ones, and a project has one of the three tiers", async () => {
  await migrate(db, "2026-11-26-reservations");
  await sql`INSERT INTO organisations (id, name, created_at) VALUES ('org_A', 'o', now())`.execute(db);
  await sql`INSERT INTO projects (id, organisation, name, created_at, data_class)
    VALUES ('prj_A', 'org_A', 'p', now(), 'public')`.execute(db);
  await migrate(db, "2026-11-26-tiers");
  const tier = async () => (await db.selectFrom("projects").select("tier").executeTakeFirstOrThrow()).tier;
  assert.equal(await tier(), "standard");
  for (const wanted of ["interactive", "batch", "standard"] as const) {
    await db.updateTable("projects").set({ tier: wanted }).execute();
    assert.equal(await tier(), wanted);
  }
  for (const wrong of ["flex", "Batch", "", null]) {
    await assert.rejects(sql`UPDATE projects SET tier = ${wrong}`.execute(db), /tier/, String(wrong));
  }
});
