import { leafHashes } from "./hashes.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, emptyRoot, hashBytes, rootOver } from "../base/index.ts";
import { type Batch, type LogKey, openCheckpoint, openSequencer, type Sequencer, verifierKeyOf } from "./index.ts";
import { entryBytes } from "./edge.ts";
import { FakeDisk } from "./fake-disk.ts";
import { readBundle } from "./reading.ts";
import { entriesFrom, MemoryLog, privateKey } from "./testing.ts";
import { bundlePath, hashesAt, levelsOf, partialWidth, tilePath, widthOf } from "./tiles.ts";

/**
 * A log's life as a list of steps, run against a model that knows what stands at each index. Whatever is appended again
 * after a crash is the same, as it is when it is read from a journal; so a tree of a size has one root, and checkpoints
 * contradict each other exactly where one of them has another.
 */
const after = fc.integer({ min: 0, max: 90 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), batches: fc.integer({ min: 0, max: 4 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("crash" as const, "kill" as const),
      batches: fc.integer({ min: 1, max: 4 }),
      after,
      seed: fc.integer(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("crashOpening" as const, "killOpening" as const),
      after,
      seed: fc.integer(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("fill" as const, "fail" as const),
      batches: fc.integer({ min: 1, max: 4 }),
      after,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("reopen" as const, "reopenFull" as const, "rotate" as const) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const origin = "example.com/log";
const overlapMs = 1_000;
const most = 4_000;
const all = entriesFrom(0, most);
const model = new MemoryLog().append(all);

function rootAt(size: number): Buffer {
  return size === 0 ? emptyRoot : rootOver(leafHashes(all.subarray(0, size * entryBytes)));
}

/** A small generator, so that a crash's choices can be repeated from the step's seed. */
function picker(seed: number): (most: number) => number {
  let state = seed | 0;
  return (most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * (most + 1));
  };
}

class Life {
  disk = new FakeDisk();
  readonly clock = new ManualClock();
  log!: Sequencer;
  keys: readonly LogKey[] = [{ privateKey: privateKey(0) }];
  #keysMade = 1;
  /** Entries that an append has acknowledged, and the size of the checkpoint that was shown last. */
  acknowledged = 0;
  shown = 0;
  readonly #sizes: readonly number[];

  constructor(sizes: readonly number[]) {
    this.#sizes = sizes;
  }

  /** Where the batch of this number begins. */
  firstOf(number: number): number {
    return this.#sizes.slice(0, number).reduce((sum, size) => sum + size, 0);
  }

  position(number: number) {
    return { segment: 1 + Math.floor(number / 5), offset: (number % 5) * 1_000 };
  }

  batch(number: number): Batch {
    const first = this.firstOf(number);
    const entries = all.subarray(first * entryBytes, (first + this.#sizes[number]!) * entryBytes);
    return { ...this.position(number), entries };
  }

  /** The next batches behind the cursor, of which only as many are left as the model has. */
  next(count: number): { batches: readonly Batch[]; cursor: number } {
    const from = (this.log.cursor ?? 0) as number;
    const cursor = Math.min(from + count, this.#sizes.length);
    return { cursor, batches: Array.from({ length: cursor - from }, (_, at) => this.batch(from + at)) };
  }

  async open(): Promise<void> {
    this.disk.onShown = (path, bytes) => path === "checkpoint" && this.#onShown(bytes);
    const { disk, clock, keys } = this;
    const opened = await openSequencer({ disk, clock, keys, origin });
    assert.ok(opened.outcome === "opened", opened.outcome !== "opened" ? opened.reason : "");
    this.log = opened.log;
    await this.check();
  }

  #onShown(bytes: Buffer): void {
    const keys = this.keys.map((key) => verifierKeyOf("ed25519", { name: origin, ...key }));
    const opened = openCheckpoint(bytes, [{ origin, keys }]);
    assert.ok(opened.outcome === "signed", "what is shown is signed");
    const { size, root } = opened.checkpoint;
    assert.ok(root.equals(rootAt(size)), `the checkpoint of ${size} contradicts the others`);
    assert.ok(size >= this.shown, `after ${this.shown} entries, ${size} were shown`);
    this.shown = size;
    for (let level = 0; level < levelsOf(size); level++)
      this.#checkTile(level, hashesAt(level + 1, size), partialWidth(level, size));
  }

  #checkTile(level: number, index: number, width: number): void {
    if (width === 0) return;
    const expected = model.files
      .get(tilePath(level, index, widthOf(level, index, most)))!
      .subarray(0, width * hashBytes);
    assert.deepEqual(this.disk.bytesOf(tilePath(level, index, width)), expected, "a tile of what is shown");
  }

  /** Everything that the state says is there, and what was acknowledged is in it. */
  async check(): Promise<void> {
    const { size, root } = this.log;
    const cursor = (this.log.cursor ?? 0) as number;
    assert.equal(size, this.firstOf(cursor), "the cursor is that of the entries");
    assert.ok(root.equals(rootAt(size)));
    assert.ok(size >= this.acknowledged && size >= this.shown, "what was acknowledged or shown is there");
    for (let level = 0; level < levelsOf(size); level++) {
      for (let index = 0; index * 256 < hashesAt(level, size); index++) {
        const width = widthOf(level, index, size);
        assert.deepEqual(await this.log.readTile(level, index, width), await model.readTile(level, index, width));
      }
    }
    for (let index = 0; index * 256 < size; index++) {
      const width = widthOf(0, index, size);
      const expected = model.files.get(bundlePath(index, widthOf(0, index, most)))!;
      assert.deepEqual(await readBundle(this.disk, index, width), expected.subarray(0, width * 34));
    }
    for (let number = 0; number < Math.min(this.#sizes.length, cursor + 1); number++) {
      const expected = number < cursor ? { outcome: "found", first: this.firstOf(number) } : { outcome: "absent" };
      assert.deepEqual(await this.log.find(this.position(number)), expected);
    }
  }

  async append(count: number): Promise<"appended" | "full" | "failed"> {
    const { batches, cursor } = this.next(count);
    const before = this.log.size;
    try {
      const appended = await this.log.append(batches, cursor);
      if (appended.outcome === "appended") {
        assert.deepEqual([appended.first, appended.size], [before, this.firstOf(cursor)]);
        assert.equal(appended.published, this.shown === appended.size);
        this.acknowledged = appended.size;
      } else assert.equal(this.log.size, before, "the log is as it was");
      return appended.outcome;
    } catch (error) {
      assert.match(String(error), /EIO/);
      return "failed";
    }
  }

  /** Lets the process end while it works, if the work takes so long, and gives the next one its disk. */
  async endDuring(work: () => Promise<unknown>, how: "crash" | "kill", after: number, seed: number): Promise<void> {
    this.disk.diesAfter = after;
    await Promise.race([work(), this.disk.died]);
    this.disk = how === "kill" ? this.disk.kill() : this.disk.crash(picker(seed));
  }

  /** A new key signs from now on; the one before signs beside it for a while. */
  rotate(): void {
    const old = this.keys.filter(({ untilMs }) => untilMs === undefined);
    const leaving = old.map(({ privateKey }) => ({ privateKey, untilMs: this.clock.nowMs() + overlapMs }));
    this.keys = [{ privateKey: privateKey(this.#keysMade++) }, ...leaving];
  }
}

async function run(life: Life, step: Step): Promise<void> {
  switch (step.do) {
    case "append":
      assert.equal(await life.append(step.batches), "appended");
      return;
    case "crash":
    case "kill":
      await life.endDuring(() => life.append(step.batches), step.do, step.after, step.seed);
      return life.open();
    case "crashOpening":
    case "killOpening":
      life.disk = life.disk.kill();
      await life.endDuring(() => life.open(), step.do === "crashOpening" ? "crash" : "kill", step.after, step.seed);
      return life.open();
    case "fill":
      life.disk.fullAfter = step.after;
      await life.append(step.batches);
      life.disk.fullAfter = Infinity;
      return;
    case "fail":
      life.disk.failsAfter = step.after;
      if ((await life.append(step.batches)) === "failed")
        await assert.rejects(life.log.append([], null), /opened anew/);
      life.disk = life.disk.kill();
      return life.open();
    case "rotate":
      life.clock.advance(overlapMs / 2);
      life.rotate();
      life.disk = life.disk.crash();
      return life.open();
    case "reopenFull":
      life.disk = life.disk.crash();
      life.disk.fullAfter = 0;
      await life.open();
      life.disk.fullAfter = Infinity;
      return;
    case "reopen":
      life.disk = life.disk.crash();
      return life.open();
  }
}

test("no two checkpoints that were ever shown contradict each other, and what was acknowledged stays", async () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 300 })), {
    minLength: 1,
    maxLength: 30,
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(step, { minLength: 1, maxLength: 25, size: "max" }), async (sizes, steps) => {
      const fitting = sizes.filter((_, at) => sizes.slice(0, at + 1).reduce((sum, size) => sum + size, 0) <= most);
      const life = new Life(fitting);
      await life.open();
      for (const each of steps) await run(life, each);
      life.disk = life.disk.crash();
      await life.open();
      assert.equal(life.shown, life.log.size);
    }),
    { numRuns: 100 },
  );
});
