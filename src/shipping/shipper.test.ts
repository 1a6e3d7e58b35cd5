import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, type ProjectId, type ReceiptId, RefusalError, type RequestId } from "../base/index.ts";
import { FakeDisk, isBefore, type Journal, openJournal, type Position, type Written } from "../journal/index.ts";
import { createShipper, type Shipment, type Shipper } from "./index.ts";

const project: ProjectId = "prj_A";
const requestOf = (number: number): RequestId => `req_${String(number).padStart(26, "0")}`;
const receiptOf = (number: number): ReceiptId => `rcpt_${String(number).padStart(26, "0")}`;

/** The event loop's turns that a fake disk and its readers need; no time passes. */
async function turns(count = 30): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What becomes of a write: it never arrives, or it is committed and nobody hears of it. */
type Failure = "away" | "answer lost";

/**
 * A database that holds what the store's would: rows, and the watermark that moves with them. As there, a commit that
 * need not be durable may be lost in a crash, until one that must be makes all before it durable.
 */
class Database {
  rows: RequestId[] = [];
  watermark: Position | undefined;
  /** The states that a crash may go back to, the durable one first. */
  #states: { readonly rows: number; readonly watermark: Position | undefined }[] = [{ rows: 0, watermark: undefined }];
  /** What becomes of the next writes. */
  failures: Failure[] = [];
  writes = 0;
  #held: PromiseWithResolvers<void> | undefined;

  /** From now on writes wait. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  letGo(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** `pick(n)` chooses one of n states that the crash may leave. */
  crash(pick: (count: number) => number): void {
    const { rows, watermark } = this.#states[pick(this.#states.length)]!;
    this.rows = this.rows.slice(0, rows);
    this.watermark = watermark;
    this.#states = [{ rows, watermark }];
  }

  async write({ from, isFirst, to, batches, isDurable }: Shipment): Promise<Position> {
    this.writes++;
    await this.#held?.promise;
    const failure = this.failures.shift();
    if (failure === "away") throw new Error("the database is away");
    const believed = isFirst ? undefined : from;
    if (this.watermark?.segment === believed?.segment && this.watermark?.offset === believed?.offset) {
      for (const { records } of batches) {
        for (const record of records) if (record.kind === "settlement") this.rows.push(record.request);
      }
      this.watermark = to;
      if (isDurable) this.#states = [];
      this.#states.push({ rows: this.rows.length, watermark: to });
    } else assert.ok(this.watermark !== undefined && !isBefore(to, this.watermark));
    if (failure === "answer lost") throw new Error("the connection broke");
    return this.watermark;
  }
}

/** A gateway's process: its journal, and the shipper that reads it. */
class Gateway {
  readonly clock = new ManualClock();
  readonly database: Database;
  readonly retriesMs: number[] = [];
  journal!: Journal;
  shipper!: Shipper;
  served = 0;
  #disk = new FakeDisk();

  constructor(database: Database) {
    this.database = database;
  }

  async start(waitingMax = 1_000): Promise<this> {
    this.journal = await openJournal({
      disk: this.#disk,
      clock: this.clock,
      installation: "inst_00000000000000000000000000",
      gateway: "gw_00000000000000000000000000",
      segmentBytes: 64 * 1024,
      seal: (payloads) => `{"seal":${payloads.length}}`,
    });
    this.shipper = createShipper({
      journal: this.journal,
      clock: this.clock,
      from: this.database.watermark,
      waitingMax,
      write: (shipment) => this.database.write(shipment),
      onFailure: (_error, retryInMs) => this.retriesMs.push(retryInMs),
    });
    return this;
  }

  /** Takes requests and settles them, until they are durable. Large ones, so that segments fill up. */
  async serve(count: number): Promise<readonly Written[]> {
    const all: Written[] = [];
    for (let left = count; left > 0; left--) {
      const [number, body] = [this.served++, JSON.stringify("x".repeat(4_000))];
      let intent = this.journal.intend(requestOf(number), "{}");
      for (; intent.outcome === "refused"; intent = this.journal.intend(requestOf(number), "{}")) {
        if (intent.code !== "journal_full") throw new RefusalError(intent);
        await turns(1); // The next segment is being prepared.
      }
      const written = this.journal.settle(intent, body, `{"number":${number}}`);
      all.push(written);
      void written.durable.then(() => this.shipper.settled(receiptOf(number), project, written.position));
    }
    await Promise.all(all.map(({ durable }) => durable));
    return all;
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turns();
  }

  /** The power fails, and the next process finds what was durable. */
  async crash(): Promise<void> {
    const disk = this.#disk.crash();
    void this.shipper.close();
    this.#disk = disk;
    await this.start();
  }
}

async function started(waitingMax?: number): Promise<Gateway> {
  return new Gateway(new Database()).start(waitingMax);
}

const requests = (count: number): readonly RequestId[] =>
  Array.from({ length: count }, (_, number) => requestOf(number));

test("what is durable is written once and in order, and segments that are shipped go", async () => {
  const gateway = await started();
  const { database, journal } = gateway;
  await gateway.serve(60);
  await gateway.pass(100);
  await gateway.serve(3);
  await gateway.pass(100);
  assert.deepEqual(database.rows, requests(63));
  assert.deepEqual(database.watermark, journal.durable);
  assert.equal(gateway.shipper.waiting, 0);
  const { segments, unshippedBytes } = journal.state();
  assert.deepEqual([segments, unshippedBytes], [1, 0]);
  await gateway.shipper.close();
  await journal.close();
});

test("whatever fails, is lost or starts anew: everything is written once and in order (property)", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("serve" as const), count: fc.integer({ min: 1, max: 25 }) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(0, 50, 100, 6_000) }),
    fc.record({
      do: fc.constant("fail" as const),
      failures: fc.array(fc.constantFrom<Failure>("away", "answer lost"), { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ do: fc.constant("crash" as const) }),
    fc.record({ do: fc.constant("database crash" as const), state: fc.nat() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const gateway = await started();
      const { database } = gateway;
      for (const step of steps) {
        if (step.do === "serve") await gateway.serve(step.count);
        else if (step.do === "pass") await gateway.pass(step.ms);
        else if (step.do === "crash") await gateway.crash();
        else if (step.do === "database crash") database.crash((count) => step.state % count);
        else database.failures = [...step.failures];
        assert.deepEqual(database.rows, requests(database.rows.length), "in order, without a gap");
      }
      database.failures = [];
      const caughtUp = gateway.shipper.caughtUp(60_000);
      for (let retry = 0; retry < 11; retry++) await gateway.pass(6_000);
      assert.equal(await caughtUp, true);
      assert.deepEqual(database.rows, requests(gateway.served));
      assert.equal(gateway.shipper.waiting, 0);
      await gateway.shipper.close();
    }),
    { numRuns: 150 },
  );
});

test("a commit whose answer was lost is not written again, whatever came since", async () => {
  const gateway = await started();
  const { database, shipper } = gateway;
  database.failures = ["answer lost"];
  await gateway.serve(2);
  await turns();
  assert.deepEqual([database.rows, shipper.waiting], [requests(2), 2]);
  await gateway.serve(3);
  await gateway.pass(100);
  assert.deepEqual([database.rows, shipper.waiting], [requests(5), 0]);
  assert.deepEqual(gateway.retriesMs, [100]);
  await shipper.close();
});

test("what a database lost in a crash is written again, from the journal that still has it", async () => {
  const gateway = await started();
  const { database, shipper, journal } = gateway;
  await gateway.serve(2);
  await turns();
  await gateway.serve(2);
  await gateway.pass(100);
  assert.deepEqual(database.rows, requests(4));
  // Nothing more is served: that it was lost is found out by who wants to make it safe.
  database.crash(() => 0);
  assert.deepEqual(database.rows, requests(2));
  for (let retry = 0; retry < 4; retry++) await gateway.pass(100);
  assert.deepEqual([database.rows, database.watermark], [requests(4), journal.durable]);
  assert.deepEqual([shipper.waiting, gateway.retriesMs], [0, [100]]);
  database.crash(() => 0);
  assert.deepEqual(database.rows, requests(4), "made safe by now");
  await shipper.close();
});

test("a database that stays away is asked at growing intervals, and after a success at the first one again", async () => {
  const gateway = await started();
  const { database, shipper, retriesMs } = gateway;
  database.failures = Array<Failure>(8).fill("away");
  await gateway.serve(1);
  await turns();
  for (let failure = 1; failure <= 8; failure++) {
    assert.equal(retriesMs.length, failure);
    const retryMs = retriesMs.at(-1)!;
    await gateway.pass(retryMs - 1);
    assert.equal(database.writes, failure, "not before it is time");
    await gateway.pass(1);
  }
  assert.deepEqual(retriesMs, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.deepEqual(database.rows, requests(1));
  await gateway.pass(100);
  database.failures = ["away"];
  await gateway.serve(1);
  await turns();
  assert.equal(retriesMs.at(-1), 100);
  await shipper.close();
});

test("nothing goes from the journal before it is written", async () => {
  const gateway = await started();
  gateway.database.failures = ["away", "away"];
  await gateway.serve(40);
  await turns();
  const { segments } = gateway.journal.state();
  assert.ok(segments > 2);
  await gateway.pass(100);
  assert.equal(gateway.journal.state().segments, segments);
  await gateway.pass(200);
  assert.equal(gateway.journal.state().segments, 1);
  await gateway.shipper.close();
});

test("what comes within a moment goes in one write; whoever waits for the books does not wait for that moment", async () => {
  const gateway = await started();
  const { database, shipper } = gateway;
  await gateway.serve(1);
  await turns();
  assert.equal(database.writes, 1);
  await gateway.serve(2);
  await gateway.serve(2);
  await gateway.pass(99);
  assert.equal(database.writes, 1);
  assert.equal(await shipper.caughtUp(1_000), true, "no time passed");
  assert.deepEqual([database.writes, database.rows], [2, requests(5)]);
  assert.equal(await shipper.caughtUp(0), true, "nothing waits");
  await gateway.pass(100);
  database.hold();
  await gateway.serve(1);
  await turns();
  await gateway.serve(1);
  const behindTheWrite = shipper.caughtUp(1_000);
  database.letGo();
  assert.equal(await behindTheWrite, true, "no time passed between the two writes either");
  assert.deepEqual(database.rows, requests(7));
  await shipper.close();
});

test("whoever waits for the books hears in time that they are not there", async () => {
  const gateway = await started();
  const { database, shipper } = gateway;
  database.hold();
  await gateway.serve(1);
  const early = shipper.caughtUp(500);
  const late = shipper.caughtUp(5_000);
  await gateway.pass(499);
  await gateway.pass(1);
  assert.equal(await early, false);
  database.letGo();
  assert.equal(await late, true);
  // What becomes durable afterwards is not waited for.
  database.failures = ["away"];
  await gateway.serve(1);
  await turns();
  assert.equal(database.rows.length, 1);
  await shipper.close();
});

test("too much that waits is told, until it is shipped", async () => {
  const gateway = await started(3);
  const { database, shipper } = gateway;
  database.hold();
  await gateway.serve(2);
  assert.deepEqual([shipper.behind, shipper.waiting], [false, 2]);
  await gateway.serve(1);
  assert.deepEqual([shipper.behind, shipper.waiting], [true, 3]);
  database.letGo();
  await turns();
  await gateway.pass(100);
  assert.deepEqual([shipper.behind, shipper.waiting], [false, 0]);
  await shipper.close();
});

test("a receipt that is not shipped is found by its own project only", async () => {
  const gateway = await started();
  const { database, shipper, journal } = gateway;
  database.hold();
  const [written] = await gateway.serve(1);
  const { position } = written!;
  assert.deepEqual(shipper.unshipped(receiptOf(0), project), position);
  assert.equal((await journal.readSettlement(position))?.settlement.receipt, '{"number":0}');
  assert.equal(shipper.unshipped(receiptOf(0), "prj_B"), undefined);
  assert.equal(shipper.unshipped(receiptOf(1), project), undefined);
  database.letGo();
  await turns();
  assert.equal(shipper.unshipped(receiptOf(0), project), undefined);
  // The request's own next step may come after the shipping.
  shipper.settled(receiptOf(0), project, position);
  assert.deepEqual([shipper.unshipped(receiptOf(0), project), shipper.waiting], [undefined, 0]);
  await shipper.close();
});

test("closing ends the pause before a retry, the one between writes, and waits for a write under way", async () => {
  const retrying = await started();
  retrying.database.failures = ["away"];
  await retrying.serve(1);
  await turns();
  assert.deepEqual(retrying.retriesMs, [100]);
  await retrying.shipper.close();
  await retrying.pass(10_000);
  assert.deepEqual([retrying.database.writes, retrying.database.rows], [1, []]);

  const idle = await started();
  await idle.serve(1);
  await turns();
  await idle.shipper.close();
  assert.deepEqual(idle.database.rows, requests(1));

  const writing = await started();
  writing.database.hold();
  await writing.serve(1);
  await turns();
  let closed = false;
  const closing = writing.shipper.close().then(() => (closed = true));
  await turns();
  assert.equal(closed, false);
  writing.database.letGo();
  await closing;
  assert.deepEqual(writing.database.rows, requests(1));
});
