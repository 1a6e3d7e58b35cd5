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
  await migrate(db, "2026-11-28-hosts");
});

after(async () => {
  await db.destroy();
  await temporary.remove();
});

const host = (more: object = {}) => ({
  id: "host_1" as const,
  site: "fr",
  fingerprint: "a".repeat(43),
  address: "192.0.2.1:7443",
  joinedAt: new Date(0),
  ...more,
});

test("a host keeps its key and its site, and stays revoked; its address may change", async () => {
  await db.insertInto("hosts").values(host()).execute();
  const again = db
    .insertInto("hosts")
    .values(host({ id: "host_2" }))
    .execute();
  await assert.rejects(again, /hosts_fingerprint_key/);
  const set = (change: object) => db.updateTable("hosts").set(change).execute();
  await set({ address: "192.0.2.2:7443" });
  for (const change of [{ site: "us" }, { fingerprint: "b".repeat(43) }, { id: "host_3" }]) {
    await assert.rejects(set(change), /keeps its key and its site/);
  }
  await set({ revokedAt: new Date(1) });
  await assert.rejects(set({ revokedAt: null }), /stays revoked/);
});

test("a token makes one host, or is revoked, and never both", async () => {
  const token = { site: "fr", createdAt: new Date(0), expiresAt: new Date(1) };
  const row = (id: `htk_${string}`, digit: string, more: object = {}) =>
    db
      .insertInto("hostTokens")
      .values({ id, secretSha256: digit.repeat(64), ...token, ...more })
      .execute();
  await row("htk_1", "a", { host: "host_1" });
  await assert.rejects(row("htk_2", "b", { host: "host_1" }), /host_tokens_host_key/);
  await assert.rejects(row("htk_2", "a"), /host_tokens_secret_sha256_key/);
  await assert.rejects(row("htk_2", "b", { host: "host_9" }), /host_tokens_host_fkey/);
  await assert.rejects(row("htk_2", "b", { expiresAt: new Date(0) }), /host_tokens_check/);
  const revoke = db
    .updateTable("hostTokens")
    .set({ revokedAt: new Date(1) })
    .execute();
  await assert.rejects(revoke, /host_tokens_end_once/);
});
