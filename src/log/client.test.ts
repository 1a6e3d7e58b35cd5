import { hashBytes } from "../base/index.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkConsistency, type ReadTile, verifierKeyOf } from "./index.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { signText } from "./keys.ts";
import { formatNote } from "./note.ts";
import { entriesFrom, MemoryLog, privateKey } from "./testing.ts";
import { rootAt } from "./tree.ts";

const origin = "example.com/log";
const key = { name: origin, privateKey: privateKey(1) };
const log = { origin, keys: [verifierKeyOf("ed25519", key)] };
const most = 900;
const entries = entriesFrom(0, most);
const tree = new MemoryLog().append(entries);
/** The same log until entry 400, of which it tells two stories. */
const fork = new MemoryLog().append(Buffer.concat([entries.subarray(0, 400 * hashBytes), entriesFrom(5_000, 500)]));

/** The tiles of a log that has `size` entries: wider ones are not there yet. */
function tilesOf(of: MemoryLog): ReadTile {
  return of.readTile;
}

async function note(of: MemoryLog, size: number, signer = key): Promise<Buffer> {
  const root = await rootAt(of.readTile, size, of.edge.size);
  const text = formatCheckpoint({ origin, size, root, extensions: [] });
  return Buffer.from(formatNote({ text, signatures: [signText(text, signer)] }));
}

async function outcome(seen: Buffer, shown: Buffer, readTile: ReadTile = tilesOf(tree)): Promise<string> {
  const { outcome, reason } = await checkConsistency({ log, seen, shown, readTile });
  assert.match(reason, /^[A-Za-z].*\.$/s, "a sentence");
  return outcome;
}

test("a log that has only grown is consistent, from every size to every other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: most }), fc.integer({ min: 0, max: most }), async (one, other) => {
      const [seen, shown] = [await note(tree, one), await note(tree, other)];
      assert.equal(await outcome(seen, shown), one <= other ? "consistent" : "older");
    }),
    { numRuns: 60 },
  );
});

test("a fork is found wherever it begins, also where what is shown is older", async () => {
  assert.equal(await outcome(await note(tree, 400), await note(fork, 900), tilesOf(fork)), "consistent");
  assert.equal(await outcome(await note(tree, 401), await note(fork, 900), tilesOf(fork)), "forked");
  assert.equal(await outcome(await note(tree, 512), await note(fork, 900), tilesOf(fork)), "forked");
  assert.equal(await outcome(await note(tree, 900), await note(fork, 900), tilesOf(fork)), "forked");
  assert.equal(await outcome(await note(tree, 900), await note(fork, 512)), "forked");
});

test("a tile that is missing or wrong is named, and is never taken for a fork", async () => {
  const [seen, shown] = [await note(tree, 300), await note(tree, 900)];
  for (const wrong of ["0/1", "0/3", "1/0"]) {
    const missing: ReadTile = async (level, index, width) =>
      `${level}/${index}` === wrong ? undefined : tree.readTile(level, index, width);
    const corrupted: ReadTile = async (level, index, width) => {
      const tile = Buffer.from((await tree.readTile(level, index, width))!);
      if (`${level}/${index}` === wrong) tile[40]! ^= 1;
      return tile;
    };
    const short: ReadTile = async (...place) => (await tree.readTile(...place))?.subarray(32);
    assert.equal(await outcome(seen, shown, missing), "missing", wrong);
    assert.equal(await outcome(seen, shown, corrupted), "corrupted", wrong);
    assert.equal(await outcome(seen, shown, short), "corrupted");
  }
  const lost = await checkConsistency({ log, seen, shown, readTile: () => Promise.resolve(undefined) });
  assert.ok(lost.outcome === "missing" && lost.path.startsWith("tile/"));
});

test("what the log has not signed does not count", async () => {
  const good = await note(tree, 300);
  const foreign = await note(tree, 900, { ...key, privateKey: privateKey(2) });
  assert.equal(await outcome(good, foreign), "unsigned");
  assert.equal(await outcome(foreign, good), "unsigned");
  assert.equal(await outcome(good, Buffer.from("nothing")), "unsigned");
});

test("broken reading is not an answer of the log", async () => {
  const readTile: ReadTile = () => Promise.reject(new Error("the network is down"));
  const [seen, shown] = [await note(tree, 300), await note(tree, 900)];
  await assert.rejects(checkConsistency({ log, seen, shown, readTile }), /network/);
});
