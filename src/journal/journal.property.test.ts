import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, type RequestId } from "../base/index.ts";
import { FakeDisk, type Intent, type Journal, type JournalRecord, openJournal, type Position } from "./index.ts";

/**
 * A journal's life as a list of steps, run against a model that remembers what was appended and what was acknowledged.
 * Small segments and large bodies make it rotate, fill up and be released often.
 */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("intend" as const), size: fc.integer({ min: 0, max: 12_000 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("settle" as const),
      which: fc.nat(),
      size: fc.integer({ min: 0, max: 3_000 }),
      receipt: fc.option(fc.integer({ min: 0, max: 4_000 }), { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("note" as const), size: fc.integer({ min: 0, max: 5_000 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), turns: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("hold" as const, "resume" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("fill" as const, "empty" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("failSync" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("crash" as const, "kill" as const, "close" as const),
      seed: fc.integer(),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** One appended record: what it said, and whether its durability was acknowledged. */
interface Appended {
  readonly text: string;
  acknowledged: boolean;
}

const installation = "inst_00000000000000000000000000";
const gateway = "gw_00000000000000000000000000";
const segmentBytes = 64 * 1024;
const seal = (payloads: readonly string[]): string => `{"seal":${payloads.length}}`;

function textOf(record: JournalRecord): string {
  if (record.kind === "intent") return `intent ${record.request} ${record.body}`;
  if (record.kind === "settlement") return `settlement ${record.request} ${record.body} ${record.receipt ?? ""}`;
  return `note ${record.body}`;
}

class Life {
  disk = new FakeDisk();
  readonly clock = new ManualClock();
  journal!: Journal;
  readonly appended: Appended[] = [];
  open: Intent[] = [];
  /** Texts before this one may be gone: they were released. */
  shipped: Position | undefined;
  readonly shippedTexts: string[] = [];
  #requests = 0;

  async start(): Promise<void> {
    const { disk, clock } = this;
    this.journal = await openJournal({ disk, clock, installation, gateway, segmentBytes, seal, notesPerSecond: 5 });
  }

  track(text: string, durable: Promise<void>): void {
    const record = { text, acknowledged: false };
    this.appended.push(record);
    durable.then(
      () => (record.acknowledged = true),
      () => undefined,
    );
  }

  intend(size: number): void {
    const request: RequestId = `req_${String(this.#requests++).padStart(26, "0")}`;
    const body = JSON.stringify({ intent: "é".repeat(size / 2) });
    const intent = this.journal.intend(request, body);
    if (intent.outcome === "refused") {
      assert.ok(intent.code === "journal_full" || this.journal.state().failed, intent.message);
      return;
    }
    this.track(`intent ${request} ${body}`, intent.durable);
    this.open.push(intent);
  }

  settle(which: number, size: number, receiptSize: number | undefined): void {
    if (this.open.length === 0 || this.journal.state().failed) return;
    const [intent] = this.open.splice(which % this.open.length, 1);
    const body = JSON.stringify({ body: "b".repeat(size) });
    const receipt = receiptSize === undefined ? undefined : JSON.stringify({ receipt: "r".repeat(receiptSize) });
    const written = this.journal.settle(intent!, body, receipt);
    this.track(`settlement ${intent!.request} ${body} ${receipt ?? ""}`, written.durable);
  }

  /** Reads all and holds it against what was appended; returns the records. */
  async check(): Promise<JournalRecord[]> {
    const records: JournalRecord[] = [];
    for await (const batch of this.journal.read()) {
      assert.deepEqual(
        batch.records.flatMap((record) =>
          record.kind === "settlement" && record.receipt !== undefined ? [record.receipt] : [],
        ),
        batch.leaves,
      );
      assert.equal(batch.seal, batch.leaves.length === 0 ? undefined : seal(batch.leaves));
      for (const record of batch.records) {
        if (record.kind === "settlement" && record.leaf !== undefined)
          assert.equal(batch.leaves[record.leaf], record.receipt);
        records.push(record);
      }
    }
    const texts = records.filter((record) => record.kind !== "note").map(textOf);
    assert.equal(new Set(texts).size, texts.length, "a record is there twice");
    const order = new Map(this.appended.map((record, index) => [record.text, index]));
    const places = texts.map((text) => order.get(text) ?? -1);
    assert.ok(!places.includes(-1), "a record that nobody appended");
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
      "out of order",
    );
    const there = new Set([...texts, ...this.shippedTexts]);
    for (const record of this.appended)
      assert.ok(!record.acknowledged || there.has(record.text), `lost ${record.text.slice(0, 50)}`);
    return records;
  }

  /** Goes on with another disk, as the next process does. */
  async reopen(disk: FakeDisk): Promise<void> {
    this.disk = disk;
    await this.start();
    const records = await this.check();
    const there = new Set(records.filter((record) => record.kind !== "note").map(textOf));
    // What is not there now was never acknowledged and never will be: it must not come back.
    const kept = this.appended.filter((record) => there.has(record.text) || this.shippedTexts.includes(record.text));
    this.appended.splice(0, this.appended.length, ...kept.map(({ text }) => ({ text, acknowledged: true })));
    const settled = new Set(records.flatMap((record) => (record.kind === "settlement" ? [record.request] : [])));
    const wanted = records.flatMap((record) =>
      record.kind === "intent" && !settled.has(record.request) ? [record.request] : [],
    );
    const open = this.journal.openIntents();
    assert.deepEqual(open.map(({ intent }) => intent.request).sort(), wanted.sort());
    this.open = open.map(({ intent }) => intent);
  }

  async release(): Promise<void> {
    let end: Position | undefined;
    for await (const batch of this.journal.read()) {
      end = batch.end;
      for (const record of batch.records) this.shippedTexts.push(textOf(record));
    }
    if (end !== undefined) await this.journal.release(end);
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A small generator, so that a crash's choices can be repeated from the step's seed. */
function picker(seed: number): (most: number) => number {
  let state = seed | 0;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * (most + 1));
  };
}

async function run(life: Life, step: Step): Promise<void> {
  switch (step.do) {
    case "intend":
      return life.intend(step.size);
    case "settle":
      return life.settle(step.which, step.size, step.receipt);
    case "note":
      return life.journal.note("refusal", JSON.stringify({ note: "n".repeat(step.size) }));
    case "wait":
      life.clock.advance(400);
      return turns(step.turns);
    case "hold":
      return life.disk.holdSyncs();
    case "resume":
      return life.disk.releaseSyncs();
    case "fill":
      life.disk.capacityBytes = 0;
      return;
    case "empty":
      life.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
      return;
    case "release":
      return life.release();
    case "failSync":
      life.disk.failingSyncs = 1;
      return;
    case "crash":
      return life.reopen(life.disk.crash(picker(step.seed)));
    case "kill":
      return life.reopen(life.disk.kill());
    case "close":
      life.disk.releaseSyncs();
      await life.journal.close();
      return life.reopen(life.disk.crash());
  }
}

test("what was acknowledged survives any interleaving of intents, settlements, crashes and full disks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 80, size: "max" }), async (steps) => {
      const life = new Life();
      await life.start();
      for (const each of steps) await run(life, each);
      // At the end the reserved room must take every open settlement, at its largest, on a disk that is full.
      life.disk.capacityBytes = 0;
      if (!life.journal.state().failed) while (life.open.length > 0) life.settle(0, 4_000, 4_100);
      life.disk.releaseSyncs();
      await life.journal.close();
      life.disk.failingSyncs = 0;
      await life.reopen(life.disk.crash());
      await life.journal.close();
    }),
    { numRuns: 300 },
  );
});
