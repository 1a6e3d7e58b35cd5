import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { createIds, systemClock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { createOperators, type Operators } from "./index.ts";

const ids = createIds(systemClock);
let temporary: TemporaryPostgres;
let store: Store;
let operators: Operators;

before(async () => {
  temporary = await temporaryPostgres();
  store = await temporaryStore(temporary, systemClock);
  operators = createOperators({ db: store.db, clock: systemClock, ids, randomBytes });
});

after(async () => {
  await store.close();
  await temporary.remove();
});

const add = (name: string, country: string | null = null) => operators.add({ name, country, by: "operator" });

test("a token is told once, is kept as its digest only, and stops when it is revoked", async () => {
  const kim = await add("kim", "de");
  assert.ok(!("outcome" in kim));
  assert.match(kim.token, /^bwo_[A-Za-z0-9_-]{43}$/);
  assert.equal(kim.country, "DE");
  assert.equal((await operators.find(kim.token))?.name, "kim");
  const row = await store.db.selectFrom("operators").selectAll().executeTakeFirstOrThrow();
  assert.deepEqual(row.tokenHash, createHash("sha256").update(kim.token).digest());
  assert.ok(!JSON.stringify([row, await operators.list({ limit: 9, after: undefined })]).includes(kim.token));
  await operators.revoke("kim");
  assert.equal(await operators.find(kim.token), undefined);
  assert.deepEqual(await operators.revoke(kim.id), await operators.show("kim"));
});

test("a name is given once, also after it was revoked; the first operator's is nobody else's", async () => {
  for (const [name, code] of [
    ["kim", "name_taken"],
    ["operator", "invalid_request"],
    ["opr_01KA0000000000000000000000", "invalid_request"],
  ] as const) {
    const refused = await add(name);
    assert.ok("outcome" in refused, name);
    assert.equal(refused.code, code);
  }
  const refused = await add("lee", "UK");
  assert.ok("outcome" in refused);
  assert.deepEqual([refused.code, refused.param], ["invalid_request", "country"]);
  const first = await operators.revoke("operator");
  assert.ok("outcome" in first && /data folder/.test(first.message));
});
