import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { sql } from "kysely";
import { systemClock } from "../base/index.ts";
import { type ActiveReservations, createActiveReservations } from "./index.ts";
import { type Ground, granted, TemporaryGround } from "./testing.ts";

const hourMs = 3_600_000;
let grounds: TemporaryGround;

before(async () => {
  grounds = await TemporaryGround.start();
});

after(() => grounds.remove());

interface Followed {
  readonly active: ActiveReservations;
  /** What was told, each time the ids. */
  readonly told: (readonly string[])[];
  readonly failures: unknown[];
}

async function followed(context: TestContext, { store, clock }: Ground): Promise<Followed> {
  const told: (readonly string[])[] = [];
  const failures: unknown[] = [];
  const active = await createActiveReservations({
    db: store.db,
    clock,
    onChange: (all) => told.push(all.map(({ id }) => id)),
    onFailure: (error) => failures.push(error),
  });
  context.after(() => active.close());
  return { active, told, failures };
}

/** Lets the asking that a clock's advance set off come to its end. */
async function until(condition: () => boolean): Promise<void> {
  const startMs = systemClock.monotonicMs();
  while (!condition()) {
    assert.ok(systemClock.monotonicMs() - startMs < 30_000, "waited in vain");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("what is active at the start is told, with what the pool needs to know of it", async (context) => {
  const ground = await grounds.fresh();
  const none = await followed(context, ground);
  assert.deepEqual(none.told, [], "nothing is active, and nobody is called");
  const device = granted(await ground.reservations.create({ project: "app", device: "host_A", hours: 1 }));
  const share = granted(await ground.reservations.create({ project: "app", share: 0.25, hours: 1 }));
  const { active, told } = await followed(context, ground);
  assert.equal(told.length, 1);
  const times = { fromMs: ground.clock.nowMs(), untilMs: ground.clock.nowMs() + hourMs };
  assert.deepEqual(
    new Set(active.active),
    new Set([
      { id: device.id, tenant: ground.project, project: "ministry/app", device: "host_A", ...times },
      { id: share.id, tenant: ground.project, project: "ministry/app", share: 0.25, ...times },
    ]),
  );
});

test("time alone begins and ends them, each change is told once, and at its moment", async (context) => {
  const ground = await grounds.fresh();
  const { clock, reservations } = ground;
  const a = granted(await reservations.create({ project: "app", device: "host_A", hours: 2 }));
  const b = granted(
    await reservations.create({ project: "other", device: "host_A", from: "2026-12-01T14:00:00Z", hours: 1 }),
  );
  const { told } = await followed(context, ground);
  // The database is not asked any more: what follows is known.
  await sql`ALTER TABLE epochs RENAME TO epochs_away`.execute(ground.store.db);
  clock.advance(2 * hourMs - 1);
  assert.deepEqual(told, [[a.id]]);
  clock.advance(1);
  assert.deepEqual(told, [[a.id], [b.id]], "one ends and another begins: one change");
  clock.advance(hourMs);
  assert.deepEqual(told, [[a.id], [b.id], []]);
  clock.advance(24 * hourMs);
  assert.equal(told.length, 3);
});

test("what another gateway makes and ends is heard of within half a second's poll", async (context) => {
  const ground = await grounds.fresh();
  const { clock, reservations } = ground;
  const { told } = await followed(context, ground);
  const made = granted(await reservations.create({ project: "app", device: "host_A", hours: 5 }));
  clock.advance(500);
  await until(() => told.length === 1);
  granted(await reservations.create({ project: "app", device: "host_B", from: "2026-12-09T00:00:00Z", hours: 5 }));
  clock.advance(500);
  granted(await reservations.end(made.id));
  clock.advance(500);
  await until(() => told.length === 2);
  assert.deepEqual(told, [[made.id], []], "what begins later changes nothing now");
});

test("a change of our own is seen at once", async (context) => {
  const ground = await grounds.fresh();
  const { active, told } = await followed(context, ground);
  const made = granted(await ground.reservations.create({ project: "app", share: 0.1, hours: 5 }));
  await active.refresh();
  await active.refresh();
  assert.deepEqual(told, [[made.id]]);
});

test("what begins in some weeks begins then, though it was too far away to be read at first", async (context) => {
  const ground = await grounds.fresh();
  const { clock, reservations } = ground;
  const far = granted(
    await reservations.create({ project: "app", device: "host_A", from: "2027-01-15T00:00:00Z", hours: 24 * 40 }),
  );
  const { active, told } = await followed(context, ground);
  clock.advance(Date.parse("2027-01-14T12:00:00Z") - clock.nowMs());
  await active.refresh();
  assert.deepEqual(told, []);
  clock.advance(12 * hourMs);
  assert.deepEqual(told, [[far.id]]);
  clock.advance(40 * 24 * hourMs - 1);
  await active.refresh();
  assert.equal(told.length, 1);
  clock.advance(1);
  assert.deepEqual(told, [[far.id], []]);
});

test("while the database is away, time goes on; the outage is reported once, and what was missed is heard of then", async (context) => {
  const ground = await grounds.fresh();
  const { clock, reservations, store } = ground;
  const made = granted(await reservations.create({ project: "app", device: "host_A", hours: 1 }));
  const { told, failures } = await followed(context, ground);
  await sql`ALTER TABLE epochs RENAME TO epochs_away`.execute(store.db);
  for (let polls = 0; polls < 3; polls++) {
    clock.advance(500);
    await until(() => failures.length === 1);
  }
  clock.advance(hourMs);
  assert.deepEqual(told, [[made.id], []]);
  await sql`ALTER TABLE epochs_away RENAME TO epochs`.execute(store.db);
  const next = granted(await reservations.create({ project: "app", device: "host_A", hours: 1 }));
  await until(() => (clock.advance(500), told.length === 3));
  assert.deepEqual(told.at(-1), [next.id]);
  assert.equal(failures.length, 1);
});

test("nothing is told after the end", async (context) => {
  const ground = await grounds.fresh();
  granted(await ground.reservations.create({ project: "app", device: "host_A", hours: 1 }));
  const { active, told } = await followed(context, ground);
  await active.close();
  ground.clock.advance(2 * hourMs);
  assert.equal(told.length, 1);
});
