import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Kysely } from "kysely";
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
  await migrate(db, "2026-11-27-documents");
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

const version = (number: number, more: object = {}) => ({
  kind: "facts" as const,
  version: number,
  body: "{}",
  sha256: "0".repeat(64),
  author: "operator",
  createdAt: new Date(0),
  ...more,
});

test("a version is added once and stays as it is", async () => {
  await db.insertInto("documents").values(version(1)).execute();
  await assert.rejects(db.insertInto("documents").values(version(1)).execute(), /documents_pkey/);
  await assert.rejects(db.updateTable("documents").set({ body: "[]" }).execute(), /never changed/);
  await assert.rejects(db.deleteFrom("documents").execute(), /never changed/);
  await db
    .insertInto("documents")
    .values([version(2), version(1, { kind: "policies" })])
    .execute();
});

test("a row that says nothing sensible is turned away", async () => {
  for (const [row, constraint] of [
    [version(0), /documents_version_check/],
    [version(9, { kind: "rules" }), /documents_kind_check/],
    [version(9, { sha256: "AB" }), /documents_sha256_check/],
  ] as const) {
    await assert.rejects(db.insertInto("documents").values(row).execute(), constraint);
  }
});
