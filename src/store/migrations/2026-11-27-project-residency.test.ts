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

test("projects that are there say nothing more than before, and what says nothing sensible is turned away", async () => {
  await migrate(db, "2026-11-27-documents");
  await sql`INSERT INTO organisations (id, name, created_at) VALUES ('org_A', 'o', now())`.execute(db);
  await sql`INSERT INTO projects (id, organisation, name, created_at, data_class)
    VALUES ('prj_A', 'org_A', 'p', now(), 'public')`.execute(db);
  await migrate(db, "2026-11-27-project-residency");
  const residency = () =>
    db.selectFrom("projects").select(["storage", "regimes", "country", "exported"]).executeTakeFirstOrThrow();
  assert.deepEqual(await residency(), { storage: null, regimes: null, country: null, exported: null });
  const said = {
    storage: [],
    regimes: ["national"],
    country: "DE-BE",
    exported: { year: 2026, individuals: 1, sensitiveIndividuals: 0, mechanisms: [] },
  };
  await db
    .updateTable("projects")
    .set({ ...said, exported: JSON.stringify(said.exported) })
    .execute();
  assert.deepEqual(await residency(), said);
  for (const [wrong, constraint] of [
    [{ regimes: [] }, /regimes/],
    [{ country: "Germany" }, /country/],
    [{ exported: '{"year":"2026"}' }, /exported/],
  ] as const) {
    await assert.rejects(db.updateTable("projects").set(wrong).execute(), constraint);
  }
});
