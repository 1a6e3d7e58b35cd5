import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, hashBytes, leafHash } from "../base/index.ts";
import {
  appendEntriesMax,
  type Batch,
  type LogKey,
  openCheckpoint,
  openSequencer,
  proveInclusion,
  type Sequencer,
  type SequencerOptions,
  verifierKeyOf,
  verifyInclusion,
} from "./index.ts";
import { batchesPath, batchRecordBytes } from "./batches.ts";
import { type Checkpoint } from "./checkpoint.ts";
import { FakeDisk } from "./fake-disk.ts";
import { entriesFrom, entryAt, privateKey } from "./testing.ts";

const origin = "example.com/log";
const clock = new ManualClock();
const keys: readonly LogKey[] = [{ privateKey: privateKey(1) }];
const all = entriesFrom(0, 2_000);

function batch(number: number, first: number, count: number): Batch {
  return { segment: 1, offset: number, entries: all.subarray(first * hashBytes, (first + count) * hashBytes) };
}

async function open(disk: FakeDisk, more: Partial<SequencerOptions> = {}): Promise<Sequencer> {
  const opened = await openSequencer({ disk, clock, origin, keys, ...more });
  assert.ok(opened.outcome === "opened", opened.outcome === "opened" ? "" : opened.reason);
  return opened.log;
}

/** Where damage was found; "opened" where none was. */
async function found(disk: FakeDisk, published: readonly Checkpoint[] = []): Promise<string> {
  const opened = await openSequencer({ disk, clock, origin, keys, published });
  return opened.outcome === "damaged" ? `${opened.what} ${opened.path}` : opened.outcome;
}

function checkpointOf(log: Sequencer, by: readonly LogKey[]) {
  const trusted = by.map(({ privateKey }) => verifierKeyOf("ed25519", { name: origin, privateKey }));
  return openCheckpoint(Buffer.from(log.checkpoint!), [{ origin, keys: trusted }]);
}

test("a new log shows a checkpoint of nothing, and grows by batches whose entries can be proven", async () => {
  const log = await open(new FakeDisk());
  assert.deepEqual([log.size, log.cursor], [0, null]);
  const empty = checkpointOf(log, keys);
  assert.equal(empty.outcome === "signed" && empty.checkpoint.size, 0);
  const appended = await log.append([batch(1, 0, 3), batch(7, 3, 400)], { segment: 1, offset: 9 });
  assert.deepEqual(appended, { outcome: "appended", first: 0, size: 403, published: true });
  assert.deepEqual(log.cursor, { segment: 1, offset: 9 });
  assert.deepEqual(await log.find({ segment: 1, offset: 7 }), { outcome: "found", first: 3 });
  assert.deepEqual(await log.find({ segment: 1, offset: 2 }), { outcome: "absent" });
  const shown = checkpointOf(log, keys);
  assert.ok(shown.outcome === "signed");
  assert.deepEqual(shown.checkpoint, { origin, size: 403, root: log.root, extensions: [] });
  const proven = await proveInclusion(log.readTile, entryAt(all, 402), 402, shown.checkpoint);
  assert.ok(proven.outcome === "proven");
  const claim = { leaf: leafHash(entryAt(all, 402)), index: 402, size: 403, path: proven.path, root: log.root };
  assert.ok(verifyInclusion(claim));
  const wrong = await proveInclusion(log.readTile, entryAt(all, 401), 402, shown.checkpoint);
  assert.equal(wrong.outcome, "damaged", "another entry is not proven");
});

test("a log goes on from the next process as if it had never ended", async () => {
  const disk = new FakeDisk();
  await (await open(disk)).append([batch(1, 0, 300)], "first");
  const next = await open(disk.crash());
  assert.deepEqual([next.size, next.cursor], [300, "first"]);
  assert.equal((await next.append([batch(2, 300, 300)], "second")).outcome, "appended");
  const [whole, pieces] = [await open(new FakeDisk()), next];
  await whole.append([batch(1, 0, 600)], null);
  assert.deepEqual(pieces.root, whole.root);
  assert.equal(pieces.checkpoint, whole.checkpoint, "Ed25519 signs the same by the same");
});

test("without entries an append moves the cursor only", async () => {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 5)], 1);
  const checkpoint = log.checkpoint;
  assert.deepEqual(await log.append([], 2), { outcome: "appended", first: 5, size: 5, published: true });
  assert.equal(log.checkpoint, checkpoint);
  assert.equal((await open(disk.crash())).cursor, 2);
});

test("what cannot be meant is refused, and nothing of it is written", async () => {
  const log = await open(new FakeDisk());
  await log.append([batch(5, 0, 5)], null);
  const refused = (batches: readonly Batch[], cursor: string | number = 1) =>
    assert.rejects(log.append(batches, cursor), RangeError);
  await refused([batch(5, 5, 5)]);
  await refused([batch(4, 5, 5)]);
  await refused([batch(7, 5, 5), batch(6, 10, 5)]);
  await refused([batch(6, 5, 0)]);
  await refused([{ ...batch(6, 5, 5), entries: all.subarray(0, 31) }]);
  await refused([{ ...batch(6, 5, 5), offset: 2 ** 32 }]);
  await refused([{ ...batch(6, 5, 5), entries: Buffer.alloc((appendEntriesMax + 1) * hashBytes) }]);
  await refused([batch(6, 5, 5)], "x".repeat(5_000));
  await refused([batch(6, 5, 5)], 0.5);
  const [first, second] = [log.append([batch(6, 5, 5)], null), log.append([batch(7, 10, 5)], null)];
  await assert.rejects(second, /one append at a time/);
  assert.equal((await first).outcome, "appended");
  assert.equal(log.size, 10);
  const options = { disk: new FakeDisk(), clock, origin, keys: [{ ...keys[0]!, untilMs: 1 }] };
  await assert.rejects(openSequencer(options), RangeError);
});

test("a full disk leaves the log as it was, and says so", async () => {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 300)], 1);
  const { checkpoint } = log;
  for (const steps of [0, 4, 10, 20]) {
    disk.fullAfter = steps;
    const appended = await log.append([batch(2, 300, 1_000)], 2);
    assert.equal(appended.outcome, "full");
    assert.deepEqual([log.size, log.cursor, log.checkpoint], [300, 1, checkpoint]);
  }
  disk.fullAfter = Infinity;
  assert.equal((await log.append([batch(2, 300, 1_000)], 2)).outcome, "appended");
  assert.deepEqual([log.size, log.cursor], [1_300, 2]);
  const full = new FakeDisk();
  full.fullAfter = 0;
  assert.equal(await found(full), "full");
});

test("partial tiles go once their full tile is there, and stay until then", async () => {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 100)], null);
  await log.append([batch(2, 100, 100)], null);
  const partials = () => disk.paths().filter((path) => path.includes(".p/"));
  assert.deepEqual(partials().sort(), [
    "tile/0/000.p/100",
    "tile/0/000.p/200",
    "tile/entries/000.p/100",
    "tile/entries/000.p/200",
  ]);
  await log.append([batch(3, 200, 100)], null);
  assert.deepEqual(partials().sort(), ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44"]);
});

test("an old key signs beside the new one until its time, and either is enough to verify", async () => {
  const disk = new FakeDisk();
  const time = new ManualClock(1_000);
  const [old, young] = [keys[0]!, { privateKey: privateKey(2) }];
  const log = await open(disk);
  await log.append([batch(1, 0, 5)], null);
  const rotated = await open(disk.kill(), { clock: time, keys: [young, { ...old, untilMs: 2_000 }] });
  assert.equal(checkpointOf(rotated, [old]).outcome, "signed");
  assert.equal(checkpointOf(rotated, [young]).outcome, "signed");
  time.advance(1_000);
  await rotated.append([batch(2, 5, 5)], null);
  assert.equal(checkpointOf(rotated, [old]).outcome, "unsigned");
  assert.equal(checkpointOf(rotated, [young]).outcome, "signed");
});

test("a key may take another's place at once: what was shown before still binds", async () => {
  const disk = new FakeDisk();
  await (await open(disk)).append([batch(1, 0, 5)], null);
  const other = { keys: [{ privateKey: privateKey(2) }] };
  const next = await open(disk.kill(), other);
  assert.equal(checkpointOf(next, other.keys).outcome, "signed");
});

async function smallLog(): Promise<FakeDisk> {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 3)], { at: 1 });
  await log.append([batch(2, 3, 2)], { at: 2 });
  return disk.kill();
}

test("any bit flipped in state, tiles, entries or the last batch is told as damage", async () => {
  const whole = await smallLog();
  const places = {
    state: "state state",
    "tile/0/000.p/5": "tiles tile",
    "tile/entries/000.p/5": "tiles tile/entries/000.p/5",
  };
  for (const [path, expected] of Object.entries(places)) {
    for (let bit = 0; bit < whole.bytesOf(path).length * 8; bit += 3) {
      const disk = whole.kill();
      disk.bytesOf(path)[bit >> 3]! ^= 1 << (bit & 7);
      assert.ok((await found(disk)).startsWith(expected.split(" ")[0]!), `bit ${bit} of ${path}`);
      whole.bytesOf(path);
    }
  }
  for (let byte = batchRecordBytes; byte < 2 * batchRecordBytes; byte++) {
    const disk = whole.kill();
    disk.bytesOf(batchesPath)[byte]! ^= 1;
    assert.equal(await found(disk), `batches ${batchesPath}`);
  }
  const disk = whole.kill();
  disk.bytesOf(batchesPath)[3]! ^= 1;
  assert.equal((await (await open(disk)).find({ segment: 1, offset: 1 })).outcome, "damaged");
});

test("a changed checkpoint is damage, or shown again as it was", async () => {
  const whole = await smallLog();
  const shown = whole.bytesOf("checkpoint").toString();
  for (let bit = 0; bit < shown.length * 8; bit++) {
    const disk = whole.kill();
    disk.bytesOf("checkpoint")[bit >> 3]! ^= 1 << (bit & 7);
    const opened = await openSequencer({ disk, clock, origin, keys });
    if (opened.outcome === "opened") assert.equal(opened.log.checkpoint, shown, `bit ${bit}`);
    else assert.equal(opened.outcome === "damaged" && opened.what, "checkpoint", `bit ${bit}`);
  }
});

test("missing and foreign files are told, and nothing is changed", async () => {
  const without = async (path: string): Promise<FakeDisk> => {
    const disk = await smallLog();
    await disk.rename(path, "elsewhere");
    return disk;
  };
  assert.equal(await found(await without("state")), "state state");
  assert.equal(await found(await without("batches")), "batches batches");
  assert.equal(await found(await without("tile/0/000.p/5")), "tiles tile/0/000.p/5");
  assert.equal(await found(await without("tile/entries/000.p/5")), "tiles tile/entries/000.p/5");
  assert.equal(await found(await without("checkpoint")), "opened");
  const opened = await openSequencer({ disk: await smallLog(), clock, origin: "example.com/other", keys });
  assert.equal(opened.outcome, "foreign");
});

test("a copy that was taken while the log grew is one that goes on", async () => {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 100)], 1);
  const copy = new FakeDisk();
  const take = async (path: string) => {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) await copy.makeFolder(path.slice(0, at));
    await copy.write(path, Buffer.from(disk.bytesOf(path)));
  };
  await take("checkpoint");
  await log.append([batch(2, 100, 100)], 2);
  await take("state");
  await log.append([batch(3, 200, 400)], 3);
  for (const path of disk.paths()) if (path !== "checkpoint" && path !== "state") await take(path);
  const next = await open(copy);
  assert.deepEqual([next.size, next.cursor], [200, 2]);
  await next.append([batch(3, 200, 400)], 3);
  assert.equal(next.checkpoint, log.checkpoint);
});

test("a state that is behind what was shown, here or elsewhere, is not gone on from", async () => {
  const disk = new FakeDisk();
  const log = await open(disk);
  await log.append([batch(1, 0, 5)], null);
  const old = disk.bytesOf("state").toString();
  const before = checkpointOf(log, keys);
  await log.append([batch(2, 5, 5)], null);
  const now = checkpointOf(log, keys);
  assert.ok(before.outcome === "signed" && now.outcome === "signed");
  const behind = disk.kill();
  await behind.write("state", Buffer.from(old));
  assert.equal(await found(behind.kill()), "checkpoint checkpoint");
  const restored = behind.kill();
  await restored.rename("checkpoint", "elsewhere");
  assert.equal(await found(restored.kill(), [before.checkpoint]), "opened");
  assert.equal(await found(restored.kill(), [before.checkpoint, now.checkpoint]), "checkpoint checkpoint");
  assert.equal(
    await found(restored.kill(), [{ ...before.checkpoint, root: Buffer.alloc(32) }]),
    "checkpoint checkpoint",
  );
});
