import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createIds, ManualClock, refuse } from "../base/index.ts";
import type { Store } from "../store/index.ts";
import { type TemporaryPostgres, temporaryPostgres, temporaryStore } from "../store/testing.ts";
import { exitDates, twoMonthsAfter } from "./dates.ts";
import { createExits } from "./index.ts";

const dayMs = 86_400_000;
const clock = new ManualClock(Date.parse("2026-12-31T12:00:00Z"));
const ids = createIds(clock);
let temporary: TemporaryPostgres;
let store: Store;

before(async () => {
  temporary = await temporaryPostgres();
  store = await temporaryStore(temporary, clock);
});

after(async () => {
  await store.close();
  await temporary.remove();
});

test("notice is two calendar months at most, then come 30 days and 30 days", () => {
  const text = (date: Date) => date.toISOString().slice(0, 10);
  assert.equal(text(twoMonthsAfter(new Date("2026-12-31T12:00:00Z"))), "2027-02-28");
  assert.equal(text(twoMonthsAfter(new Date("2026-06-15T00:00:00Z"))), "2026-08-15");
  const dates = exitDates(new Date("2026-12-31T12:00:00Z"), { notice: 62, transition: 30 });
  assert.deepEqual([dates.noticeUntil, dates.transitionUntil, dates.retrievalUntil].map(text), [
    "2027-02-28",
    "2027-03-30",
    "2027-04-29",
  ]);
  const none = exitDates(new Date("2026-12-31T12:00:00Z"), { notice: 0, transition: 30 });
  assert.equal(text(none.retrievalUntil), "2027-03-01");
});

test("an exit goes through its states by the clock, and is finished once, when its days are over or the tenant waives them", async () => {
  const organisation = ids.mint("org");
  await store.db
    .insertInto("organisations")
    .values({ id: organisation, name: "o", createdAt: new Date(0) })
    .execute();
  const asked: string[] = [];
  let isRefused = true;
  const exits = createExits({
    db: store.db,
    clock,
    ids,
    erase: (of) => {
      asked.push(of);
      return Promise.resolve(isRefused ? refuse("database_unavailable", "It is away.") : { id: ids.mint("ers") });
    },
  });
  const begun = await exits.begin({ organisation, noticeDays: 10, transitionDays: 30, by: "key_1" });
  assert.ok(!("outcome" in begun));
  const state = async () => (await exits.list({ organisation }, { limit: 9, after: undefined })).items[0]?.state;
  const states = [await state()];
  for (const days of [10, 30]) {
    clock.advance(days * dayMs);
    states.push(await state());
  }
  const early = await exits.finish(begun.id, {}, { by: "operator", isWaived: false });
  assert.ok("outcome" in early && early.code === "exit_not_due");
  clock.advance(30 * dayMs);
  assert.deepEqual([...states, await state()], ["notice", "transition", "retrieval", "due"]);
  const failed = await exits.finish(begun.id, {}, { by: "operator", isWaived: false });
  assert.ok("outcome" in failed && failed.code === "database_unavailable");
  isRefused = false;
  const over = await exits.finish(begun.id, {}, { by: "operator", isWaived: false });
  assert.ok(!("outcome" in over) && over.state === "finished");
  assert.deepEqual(await exits.finish(begun.id, {}, { by: "operator", isWaived: false }), over);
  assert.deepEqual(asked, [organisation, organisation]);
  const strange = await exits.show(begun.id, { organisation: ids.mint("org") });
  assert.ok("outcome" in strange && strange.code === "not_found");
});
