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

test("projects that are there weigh 1, and a project weighs from 1 to 100", async () => {
  await migrate(db, "2026-11-26-tiers");
  await sql`INSERT INTO organisations (id, name, created_at) VALUES ('org_A', 'o', now())`.execute(db);
  await sql`INSERT INTO projects (id, organisation, name, created_at, data_class)
    VALUES ('prj_A', 'org_A', 'p', now(), 'public')`.execute(db);
  await migrate(db, "2026-11-26-weights");
  const weight = async () => (await db.selectFrom("projects").select("weight").executeTakeFirstOrThrow()).weight;
  assert.equal(await weight(), 1);
  await db.updateTable("projects").set({ weight: 100 }).execute();
  assert.equal(await weight(), 100);
  for (const wrong of [0, -1, 101, null]) {
    await assert.rejects(sql`UPDATE projects SET weight = ${wrong}`.execute(db), /weight/, String(wrong));
  }
});
