import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Refusal } from "../base/index.ts";
import { readEpochs } from "../store/index.ts";
import { sharesMax } from "./conflict.ts";
import { type Ground, granted, noon, TemporaryGround } from "./testing.ts";

let grounds: TemporaryGround;
const all = { limit: 100, after: undefined };

before(async () => {
  grounds = await TemporaryGround.start();
});

after(() => grounds.remove());

type Input = Parameters<Ground["reservations"]["create"]>[0];

const oneDay = { project: "app", device: "host_A", hours: 24 };

function refusedWith(result: unknown, code: string, param: string): Refusal {
  const refusal = result as Refusal;
  assert.deepEqual([refusal.code, refusal.param], [code, param], JSON.stringify(result));
  return refusal;
}

test("a device is reserved, listed, ended before its time, and free again at once", async () => {
  const { reservations, clock, store, project, changes } = await grounds.fresh();
  const made = granted(await reservations.create({ ...oneDay, note: "training" }));
  assert.match(made.id, /^rsv_/);
  assert.deepEqual(made, {
    id: made.id,
    project: { id: project, name: "app" },
    organisation: { id: made.organisation.id, name: "ministry" },
    device: "host_A",
    share: null,
    from: noon,
    until: "2026-12-02T12:00:00.000Z",
    endedAt: null,
    state: "active",
    note: "training",
    createdAt: noon,
    warnings: [],
  });
  const { reservations: epoch } = await readEpochs(store.db);
  assert.deepEqual([epoch, changes.count], [1, 1]);
  const later = granted(await reservations.create({ ...oneDay, from: "2026-12-03T00:00:00+02:00" }));
  assert.deepEqual([later.state, later.from], ["upcoming", "2026-12-02T22:00:00.000Z"]);
  clock.advance(3_600_000);
  const ended = granted(await reservations.end(made.id));
  assert.deepEqual([ended.state, ended.endedAt], ["ended", "2026-12-01T13:00:00.000Z"]);
  clock.advance(1_000);
  assert.deepEqual(granted(await reservations.end(made.id)), ended, "ending it twice changes nothing");
  granted(await reservations.create({ ...oneDay, project: "other", hours: 1 }));
  const cancelled = granted(await reservations.end(later.id));
  assert.equal(cancelled.state, "ended");
  granted(await reservations.create({ ...oneDay, from: later.from }));
  refusedWith(await reservations.end("rsv_1"), "not_found", "reservation");
});

test("what has run to its end is over, and stays as it was", async () => {
  const { reservations, clock } = await grounds.fresh();
  const made = granted(await reservations.create({ ...oneDay, hours: 1 }));
  clock.advance(3_600_000);
  const over = granted(await reservations.end(made.id));
  assert.deepEqual([over.state, over.endedAt], ["ended", null]);
});

test("a device that is taken: who has it, and when it is free for as long as is asked", async () => {
  const { reservations, store } = await grounds.fresh();
  const first = granted(await reservations.create(oneDay));
  granted(await reservations.create({ ...oneDay, from: "2026-12-02T18:00:00Z", hours: 54 }));
  const { reservations: epoch } = await readEpochs(store.db);
  const refusal = refusedWith(
    await reservations.create({ ...oneDay, project: "other" }),
    "reservation_conflict",
    "device",
  );
  assert.equal(
    refusal.message,
    `host_A is reserved from ${noon} until 2026-12-02T12:00:00.000Z for ministry/app (${first.id}). ` +
      "It is free for as long as is asked from 2026-12-05T00:00:00.000Z on.",
  );
  const short = refusedWith(await reservations.create({ ...oneDay, hours: 6 }), "reservation_conflict", "device");
  assert.match(short.message, /from 2026-12-02T12:00:00\.000Z on\.$/, "the gap is long enough");
  granted(await reservations.create({ ...oneDay, from: "2026-12-02T12:00:00Z", hours: 6 }));
  assert.equal((await readEpochs(store.db)).reservations, epoch + 1, "a refusal moves no epoch");
});

test("of twenty that want one device at once one gets it, and the others hear of that one", async () => {
  const { reservations } = await grounds.fresh();
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => reservations.create(oneDay)));
  const made = outcomes.flatMap((outcome) => ("outcome" in outcome ? [] : [outcome]));
  assert.equal(made.length, 1);
  for (const outcome of outcomes.filter((each) => "outcome" in each)) {
    const { message } = refusedWith(outcome, "reservation_conflict", "device");
    assert.ok(message.includes(made[0]!.id), message);
  }
});

test("shares that hold together leave a part for everybody else", async () => {
  const { reservations } = await grounds.fresh();
  const share = (part: number, more: Partial<Input> = {}) =>
    reservations.create({ project: "app", share: part, hours: 24, ...more });
  const alone = refusedWith(await share(sharesMax + 0.0001), "capacity_reserved", "share");
  assert.match(alone.message, /0 is reserved, and at most 0\.9 may be\. 0\.9 could be had/);
  const first = granted(await share(0.5));
  assert.equal(first.share, 0.5);
  const second = granted(await share(0.3, { project: "other", from: "2026-12-02T00:00:00Z" }));
  const refusal = refusedWith(await share(0.1001), "capacity_reserved", "share");
  assert.match(refusal.message, /at 2026-12-02T00:00:00\.000Z 0\.8 is reserved.* 0\.1 could be had for that time\.$/);
  assert.deepEqual(refusal.reasons, [
    `0.5 until 2026-12-02T12:00:00.000Z for ministry/app (${first.id})`,
    `0.3 until 2026-12-03T00:00:00.000Z for ministry/other (${second.id})`,
  ]);
  granted(await share(0.1));
  granted(
    await share(0.4, { hours: 12 }).then(async (refused) => {
      refusedWith(refused, "capacity_reserved", "share");
      return share(0.3, { hours: 12 });
    }),
  );
});

test("where there are upstreams alone, neither a device nor a share can be reserved", async () => {
  const { reservations, changes } = await grounds.fresh({ hasDevices: false });
  const share = refusedWith(
    await reservations.create({ project: "app", share: 0.2, from: "2027-01-01T00:00:00Z", hours: 24 }),
    "device_not_found",
    "share",
  );
  assert.match(share.message, /no device of which a share could be reserved.*upstreams cannot be reserved\.$/);
  refusedWith(await reservations.create(oneDay), "device_not_found", "device");
  assert.equal(changes.count, 0);
});

test("what makes no sense is refused, with the field at fault and what is known", async () => {
  const { reservations, changes } = await grounds.fresh();
  const cases: [Partial<Input>, string, string, RegExp][] = [
    [{ project: "apq" }, "not_found", "project", /Did you mean "app"/],
    [{ device: "host_C" }, "device_not_found", "device", /no device "host_C"\. .*Known: host_A, host_B\./],
    [{ share: 0.5 }, "invalid_request", "share", /does not go with/],
    [{ device: undefined }, "invalid_request", "device", /required/],
    [{ device: undefined, share: 0.12345 }, "invalid_request", "share", /4 decimals/],
    [{ device: undefined, share: 0 }, "invalid_request", "share", /above 0/],
    [{ until: "2026-12-02T12:00:00Z" }, "invalid_request", "until", /not both/],
    [{ hours: undefined }, "invalid_request", "until", /required/],
    [{ from: "2026-12-01T11:59:59.999Z" }, "invalid_period", "from", /in the past: it is 2026-12-01T12/],
    [
      { hours: undefined, until: noon },
      "invalid_period",
      "until",
      /2026-12-01T12:00:00\.000Z is not after 2026-12-01T12\S+, when it begins/,
    ],
    [{ hours: 1e-7 }, "invalid_period", "hours", /1e-7 is less than a millisecond/],
    [{ hours: 1e9 }, "invalid_period", "hours", /more than the 366/],
    [{ hours: 366 * 24 + 0.1 }, "invalid_period", "hours", /366/],
  ];
  for (const [change, code, param, message] of cases) {
    const refusal = refusedWith(await reservations.create({ ...oneDay, ...change }), code, param);
    assert.match(refusal.message, message);
  }
  assert.equal(changes.count, 0);
  granted(await reservations.create({ ...oneDay, hours: 366 * 24 }));
});

test("whoever is left without a device, or with little of the pool, is named when it is reserved", async () => {
  const { reservations } = await grounds.fresh();
  const warned = async (input: Input): Promise<readonly string[]> => granted(await reservations.create(input)).warnings;
  assert.deepEqual(await warned({ ...oneDay, hours: 2 }), [], "another device serves the same, or an upstream does");
  assert.deepEqual(await warned({ project: "other", device: "host_B", hours: 1 }), [
    "While it holds, every device that serves only-b and shared is reserved, for ministry/app and ministry/other: " +
      "what any other project asks for is refused, except batch, which may use what is left idle.",
  ]);
  assert.deepEqual(await warned({ project: "app", share: 0.75, from: "2026-12-02T00:00:00Z", hours: 1 }), []);
  const later = { project: "app", device: "host_B", from: "2026-12-02T00:30:00Z", hours: 1 };
  assert.deepEqual(await warned(later), [
    "While it holds, every device that serves only-b is reserved, for ministry/app. Without a device are " +
      "ministry/other: what they ask for is refused, except batch, which may use what is left idle.",
  ]);
  const more = { project: "other", share: 0.1, from: "2026-12-02T00:50:00Z", hours: 1 };
  assert.deepEqual(await warned(more), [
    "From 2026-12-02T00:50:00.000Z until 2026-12-02T01:30:00.000Z every device that serves only-b is reserved, for " +
      "ministry/app. Without a device are ministry/other (with 0.1 of the pool): what they ask for is refused, except " +
      "batch, which may use what is left idle.",
    "At 2026-12-02T00:50:00.000Z 0.85 of the pool is reserved, for ministry/app and ministry/other: all other projects " +
      "have the 0.15 that is left, and are refused what has no room in it.",
  ]);
});

test("a project whose only permitted device is reserved for another is named, whatever is free elsewhere", async () => {
  const { reservations } = await grounds.fresh({ otherOnlyAt: "host_A" });
  const warned = async (input: Input): Promise<readonly string[]> => granted(await reservations.create(input)).warnings;
  assert.deepEqual(await warned({ ...oneDay, hours: 2 }), [
    "While it holds, every device at which policy permits ministry/other is reserved, for ministry/app: what they ask " +
      "for is refused, except batch, which may use what is left idle.",
  ]);
  const own = { project: "other", device: "host_A", from: "2026-12-03T00:00:00Z", hours: 1 };
  assert.deepEqual(await warned(own), []);
});

test("lists come in pages, of one project or of those that hold now", async () => {
  const { reservations } = await grounds.fresh();
  const a = granted(await reservations.create(oneDay));
  const b = granted(await reservations.create({ ...oneDay, project: "other", device: "host_B" }));
  const c = granted(await reservations.create({ ...oneDay, from: "2027-01-01T00:00:00Z" }));
  const idsOf = async (filter: object, page = all): Promise<readonly string[]> =>
    granted(await reservations.list({ project: undefined, active: false, ...filter }, page)).items.map(({ id }) => id);
  assert.deepEqual(await idsOf({}), [a.id, b.id, c.id].toSorted());
  assert.deepEqual(await idsOf({ project: "ministry/app" }), [a.id, c.id].toSorted());
  assert.deepEqual(await idsOf({ active: true }), [a.id, b.id].toSorted());
  const one = granted(await reservations.list({ project: undefined, active: false }, { limit: 2, after: undefined }));
  const two = granted(
    await reservations.list({ project: undefined, active: false }, { limit: 2, after: one.next ?? "" }),
  );
  assert.deepEqual([two.items.length, two.next], [1, null]);
  refusedWith(await reservations.list({ project: "no", active: false }, all), "not_found", "project");
  refusedWith(
    await reservations.list({ project: undefined, active: false }, { limit: 1, after: "x" }),
    "invalid_request",
    "after",
  );
});

test("usage is metered by the hour, up to now, and not beyond an early end", async () => {
  const { reservations, clock } = await grounds.fresh();
  const device = granted(await reservations.create({ ...oneDay, hours: 36 }));
  const share = granted(await reservations.create({ project: "other", share: 0.25, hours: 100 }));
  const cancelled = granted(await reservations.create({ ...oneDay, from: "2026-12-04T00:00:00Z" }));
  granted(await reservations.end(cancelled.id));
  const hours = async (from: string, to: string): Promise<Record<string, string>> => {
    const { items } = granted(await reservations.usage({ from, to }, all));
    return Object.fromEntries(items.map((item) => [item.reservation, item.hours]));
  };
  assert.deepEqual(await hours("2026-12-01", "2026-12-31"), {}, "nothing is used of what is still to come");
  clock.advance(24 * 3_600_000 + 5_400_000);
  granted(await reservations.end(share.id));
  clock.advance(7 * 86_400_000);
  assert.deepEqual(await hours("2026-12-01", "2026-12-31"), { [device.id]: "36", [share.id]: "25.5" });
  assert.deepEqual(await hours("2026-12-01", "2026-12-01"), { [device.id]: "12", [share.id]: "12" });
  assert.deepEqual(await hours("2026-12-02", "2026-12-02"), { [device.id]: "24", [share.id]: "13.5" });
  assert.deepEqual(await hours("2026-12-03", "2026-12-04"), {});
  const { items } = granted(await reservations.usage({ from: "2026-12-01", to: "2026-12-01" }, all));
  assert.deepEqual(
    items.find(({ reservation }) => reservation === share.id),
    { reservation: share.id, organisation: "ministry", project: "other", device: null, share: 0.25, hours: "12" },
  );
  refusedWith(await reservations.usage({ from: "2026-12-02", to: "2026-12-01" }, all), "invalid_request", "to");
});
