import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "kysely";
import { createIds, ManualClock } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { type AuditEntry, type AuditFact, type AuditLog, breakIn, createAuditLog } from "./index.ts";

const clock = new ManualClock(Date.parse("2026-11-26T12:00:00Z"));
const ids = createIds(clock);
let temporary: TemporaryPostgres;
let store: Store;
let audit: AuditLog;

before(async () => {
  temporary = await temporaryPostgres();
  store = await temporaryStore(temporary, clock);
  audit = createAuditLog({ db: store.db, clock });
});

after(async () => {
  await store.close();
  await temporary.remove();
});

function fact(more: Partial<AuditFact> = {}): AuditFact {
  return {
    request: ids.mint("req"),
    actor: { kind: "operator", name: "kim" },
    action: "updateProject",
    outcome: "done",
    code: null,
    organisation: "org_A",
    project: "prj_A",
    object: "prj_A",
    changes: { weight: [1, 2] },
    ...more,
  };
}

const firstPage = { limit: 100, after: undefined };

async function chain(): Promise<AuditEntry[]> {
  return (await audit.all({ limit: 1000, after: undefined })).items;
}

test("entries are numbered and chained, also where many are added at once", async () => {
  await Promise.all(Array.from({ length: 8 }, (_, at) => audit.append(fact({ object: `prj_${at}` }))));
  const entries = await chain();
  assert.deepEqual(
    entries.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(breakIn(entries, true), undefined);
});

test("an entry that was changed, taken out, put in or cut off at the front is found", async () => {
  const entries = await chain();
  const changed = entries.map((entry) => (entry.number === 4 ? { ...entry, action: "showProject" } : entry));
  assert.equal(breakIn(changed, true)?.number, 4);
  assert.equal(breakIn(entries.toSpliced(3, 1), true)?.number, 5);
  assert.equal(breakIn(entries.slice(1), true)?.number, 2);
  const [first, second, third, ...rest] = entries;
  assert.notEqual(breakIn([first!, { ...third!, number: 2 }, second!, ...rest], true), undefined);
  // Of a part, each is checked alone, and neighbours where both are there.
  assert.equal(breakIn(entries.toSpliced(3, 1), false), undefined);
  assert.equal(breakIn(changed.slice(3), false)?.number, 4);
});

test("the database refuses to change, remove or empty what is written", async () => {
  await assert.rejects(store.db.updateTable("audit").set({ actor: "nobody" }).execute(), /only added to/);
  await assert.rejects(store.db.deleteFrom("audit").execute(), /only added to/);
  await assert.rejects(sql`TRUNCATE audit`.execute(store.db), /only added to/);
});

test("an action is told by how it ended; one whose end nobody wrote down says that it was asked for", async () => {
  const request = ids.mint("req");
  await audit.append(fact({ request, project: "prj_B", outcome: "asked", changes: {} }));
  const listed = async () => (await audit.list({ project: "prj_B" }, firstPage)).items.map(({ outcome }) => outcome);
  assert.deepEqual(await listed(), ["asked"]);
  await audit.append(fact({ request, project: "prj_B", outcome: "refused", code: "name_taken" }));
  assert.deepEqual(await listed(), ["refused"]);
  const streamed = ids.mint("req");
  for (const outcome of ["asked", "begun", "broken"] as const) {
    await audit.append(fact({ request: streamed, project: "prj_B", outcome, changes: {} }));
    assert.deepEqual(await listed(), [outcome, "refused"]);
  }
});

test("a list is bounded and goes on where it ended, by tenant, by who, by what and by when", async () => {
  clock.advance(60_000);
  const since = new Date(clock.nowMs()).toISOString();
  for (let at = 0; at < 3; at++)
    await audit.append(fact({ organisation: "org_C", project: null, action: "createKey" }));
  const page = await audit.list({ organisation: "org_C" }, { limit: 2, after: undefined });
  assert.equal(page.items.length, 2);
  const rest = await audit.list({ organisation: "org_C" }, { limit: 2, after: page.next ?? undefined });
  assert.deepEqual([rest.items.length, rest.next], [1, null]);
  assert.equal((await audit.list({ since, action: "createKey", actor: "kim" }, firstPage)).items.length, 3);
  assert.equal((await audit.list({ until: since, organisation: "org_C" }, firstPage)).items.length, 0);
  await assert.rejects(audit.list({}, { limit: 1, after: "x" }), /not the `next`/);
});
