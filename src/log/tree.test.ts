import { hashBytes, leafHash, nodeHash, rootOver } from "../base/index.ts";
import { leafHashes } from "./hashes.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emptyEdge, entriesOf, grow, rootOf } from "./edge.ts";
import {
  consistencyProof,
  inclusionProof,
  type ReadTile,
  TileProblem,
  verifyConsistency,
  verifyInclusion,
} from "./index.ts";
import { auditPath, consistencyPath, entriesFrom, entryAt, MemoryLog, treeHash } from "./testing.ts";
import { rootAt } from "./tree.ts";

/** The leaves, roots and paths that implementations of Certificate Transparency share as their test vectors. */
const knownLeaves = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const knownRoots = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const left01 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const node23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const node47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const knownInclusion = [
  { index: 0, size: 1, path: [] },
  { index: 0, size: 8, path: [left01, node23, node47] },
  {
    index: 5,
    size: 8,
    path: [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      knownRoots[4]!,
    ],
  },
  { index: 2, size: 3, path: [knownRoots[2]!] },
  {
    index: 1,
    size: 5,
    path: [knownRoots[1]!, node23, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"],
  },
];
const knownConsistency = [
  { oldSize: 1, size: 1, path: [] },
  { oldSize: 1, size: 8, path: [left01, node23, node47] },
  {
    oldSize: 6,
    size: 8,
    path: [
      "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      knownRoots[4]!,
    ],
  },
  { oldSize: 2, size: 5, path: [node23, "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"] },
];

const fromHex = (text: string): Buffer => Buffer.from(text, "hex");
const inHex = (hashes: readonly Buffer[]): readonly string[] => hashes.map((hash) => hash.toString("hex"));

test("roots and proofs are those that others compute for known leaves", async () => {
  const leaves = Buffer.concat(knownLeaves.map((leaf) => leafHash(fromHex(leaf))));
  const readTile: ReadTile = (_level, _index, width) => Promise.resolve(leaves.subarray(0, width * hashBytes));
  for (const [size, root] of knownRoots.entries()) {
    assert.equal((await rootAt(readTile, size)).toString("hex"), root);
  }
  for (const { index, size, path } of knownInclusion) {
    assert.deepEqual(inHex(await inclusionProof(readTile, index, size)), path);
    const leaf = leafHash(fromHex(knownLeaves[index]!));
    assert.ok(verifyInclusion({ leaf, index, size, path: path.map(fromHex), root: fromHex(knownRoots[size]!) }));
  }
  for (const { oldSize, size, path } of knownConsistency) {
    assert.deepEqual(inHex(await consistencyProof(readTile, oldSize, size)), path);
    const [oldRoot, root] = [fromHex(knownRoots[oldSize]!), fromHex(knownRoots[size]!)];
    assert.ok(verifyConsistency({ oldSize, oldRoot, size, root, path: path.map(fromHex) }));
  }
});

const most = 700;
const all = entriesFrom(0, most);
const entries = Array.from({ length: most }, (_, index) => entryAt(all, index));
const log = new MemoryLog().append(all);

/** Sizes around the ends of tiles and of powers of two, and any others. */
const size = fc.oneof(fc.constantFrom(1, 2, 3, 255, 256, 257, 511, 512, 513, 640), fc.integer({ min: 1, max: most }));
const sizeWithin = fc.tuple(size, fc.nat()).map(([size, at]) => ({ size, index: at % size }));

test("roots and proofs from tiles are those of RFC 6962, section 2.1", async () => {
  await fc.assert(
    fc.asyncProperty(sizeWithin, async ({ size, index }) => {
      const some = entries.slice(0, size);
      assert.deepEqual(await rootAt(log.readTile, size, most), treeHash(some));
      const at = new MemoryLog().append(all.subarray(0, size * hashBytes));
      assert.deepEqual(rootOf(at.edge), treeHash(some));
      assert.deepEqual(await inclusionProof(at.readTile, index, size), auditPath(index, some));
      assert.deepEqual(await consistencyProof(at.readTile, index + 1, size), consistencyPath(index + 1, some));
    }),
    { numRuns: 60 },
  );
});

test("every proof verifies; with any bit flipped, in another place or of another length it does not", async () => {
  await fc.assert(
    fc.asyncProperty(sizeWithin, fc.nat(), async ({ size, index }, chance) => {
      const root = await rootAt(log.readTile, size, most);
      const path = await inclusionProof(log.readTile, index, size);
      const claim = { leaf: leafHash(entries[index]!), index, size, path, root };
      assert.ok(verifyInclusion(claim));
      assert.ok(!verifyInclusion({ ...claim, leaf: flipped(claim.leaf, chance) }));
      assert.ok(!verifyInclusion({ ...claim, root: flipped(root, chance) }));
      assert.ok(!verifyInclusion({ ...claim, path: [...path, root] }));
      assert.ok(!verifyInclusion({ ...claim, index: size }));
      if (size === 1) return;
      assert.ok(!verifyInclusion({ ...claim, index: (index + 1 + (chance % (size - 1))) % size }));
      assert.ok(!verifyInclusion({ ...claim, path: flippedIn(path, chance) }));
      assert.ok(!verifyInclusion({ ...claim, path: path.slice(1) }));
    }),
  );
});

test("every consistency proof verifies; with any bit flipped or of another length it does not", async () => {
  await fc.assert(
    fc.asyncProperty(sizeWithin, fc.nat(), async ({ size, index }, chance) => {
      const oldSize = index + 1;
      const [oldRoot, root] = [await rootAt(log.readTile, oldSize, most), await rootAt(log.readTile, size, most)];
      const path = await consistencyProof(log.readTile, oldSize, size);
      const claim = { oldSize, oldRoot, size, root, path };
      assert.ok(verifyConsistency(claim));
      assert.ok(!verifyConsistency({ ...claim, root: flipped(root, chance) }));
      assert.ok(!verifyConsistency({ ...claim, oldRoot: flipped(oldRoot, chance) }));
      assert.ok(!verifyConsistency({ ...claim, path: [...path, root] }));
      assert.ok(!verifyConsistency({ ...claim, oldSize: size + 1 }));
      if (path.length === 0) return;
      assert.ok(!verifyConsistency({ ...claim, path: flippedIn(path, chance) }));
      assert.ok(!verifyConsistency({ ...claim, path: path.slice(1) }));
    }),
  );
});

function flipped(hash: Buffer, bit: number): Buffer {
  const other = Buffer.from(hash);
  other[(bit >> 3) % other.length]! ^= 1 << (bit & 7);
  return other;
}

function flippedIn(path: readonly Buffer[], chance: number): readonly Buffer[] {
  return path.map((hash, at) => (at === chance % path.length ? flipped(hash, chance) : hash));
}

/** The root that a path leads to, by the definition of a path: from the top down. */
function rootFrom(leaf: Buffer, index: number, size: number, path: readonly Buffer[]): Buffer {
  if (size === 1) return leaf;
  let split = 1;
  while (split * 2 < size) split *= 2;
  const [top, below] = [path.at(-1)!, path.slice(0, -1)];
  return index < split
    ? nodeHash(rootFrom(leaf, index, split, below), top)
    : nodeHash(top, rootFrom(leaf, index - split, size - split, below));
}

function pathLength(index: number, size: number): number {
  let [length, at, of] = [0, index, size];
  for (; of > 1; length++) {
    let split = 1;
    while (split * 2 < of) split *= 2;
    [at, of] = at < split ? [at, split] : [at - split, of - split];
  }
  return length;
}

test("paths lead to their root in trees of any size below 2^53", () => {
  const place = fc.tuple(fc.maxSafeNat(), fc.double({ min: 0, max: 1, noNaN: true }));
  fc.assert(
    fc.property(place, ([last, share]) => {
      const size = last + (last < Number.MAX_SAFE_INTEGER ? 1 : 0);
      const index = Math.min(size - 1, Math.floor(size * share));
      const path = Array.from({ length: pathLength(index, size) }, (_, at) => leafHash(Buffer.of(at)));
      const leaf = leafHash(Buffer.from("leaf"));
      const root = rootFrom(leaf, index, size, path);
      assert.ok(verifyInclusion({ leaf, index, size, path, root }));
      assert.ok(!verifyInclusion({ leaf, index, size, path: [...path, leaf], root }));
      if (path.length > 0) assert.ok(!verifyInclusion({ leaf, index, size, path: path.slice(1), root }));
    }),
    { numRuns: 300 },
  );
});

test("the empty tree is the beginning of every tree, without a path", () => {
  const [empty, root] = [treeHash([]), treeHash(entries)];
  assert.ok(verifyConsistency({ oldSize: 0, oldRoot: empty, size: most, root, path: [] }));
  assert.ok(verifyConsistency({ oldSize: 0, oldRoot: empty, size: 0, root: empty, path: [] }));
  assert.ok(!verifyConsistency({ oldSize: 0, oldRoot: empty, size: most, root, path: [root] }));
  assert.ok(!verifyConsistency({ oldSize: 0, oldRoot: root, size: most, root, path: [] }));
  assert.ok(!verifyConsistency({ oldSize: 0, oldRoot: empty, size: 0, root, path: [] }));
});

test("a log is the same in however many pieces it was appended", () => {
  const pieces = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (counts) => {
      const grown = new MemoryLog();
      for (const count of counts) {
        const from = Math.min(grown.edge.size, most - count);
        grown.append(all.subarray(from * hashBytes, (from + count) * hashBytes));
        if (from < grown.edge.size - count) return;
        const size = grown.edge.size;
        assert.deepEqual(rootOf(grown.edge), treeHash(entries.slice(0, size)));
        const whole = grow(emptyEdge, all.subarray(0, size * hashBytes));
        assert.deepEqual(grown.edge.bundle, whole.edge.bundle);
        for (const { path, bytes } of whole.files) assert.deepEqual(grown.files.get(path), bytes, path);
      }
    }),
  );
});

test("with a third level of tiles, roots and proofs are still the tree's", async () => {
  const size = 256 * 256 + 300;
  const many = entriesFrom(0, size);
  const log = new MemoryLog().append(many.subarray(0, 65_000 * hashBytes)).append(many.subarray(65_000 * hashBytes));
  const root = rootOf(log.edge);
  assert.deepEqual(root, rootOver(leafHashes(many)));
  assert.deepEqual(await rootAt(log.readTile, size), root);
  for (const index of [0, 255, 256, 65_535, 65_536, size - 1]) {
    const path = await inclusionProof(log.readTile, index, size);
    assert.ok(verifyInclusion({ leaf: leafHash(entryAt(many, index)), index, size, path, root }));
  }
  for (const oldSize of [1, 256, 65_535, 65_536, 65_537, size - 1]) {
    const path = await consistencyProof(log.readTile, oldSize, size);
    const oldRoot = rootOver(leafHashes(many.subarray(0, oldSize * hashBytes)));
    assert.ok(verifyConsistency({ oldSize, oldRoot, size, root, path }));
  }
});

test("bundles hold the entries of the tile of level 0 at the same place", () => {
  const [first, last] = [log.bundle(0, 256)!, log.bundle(2, most - 512)!];
  assert.deepEqual(entriesOf(first, 256), all.subarray(0, 256 * hashBytes));
  assert.deepEqual(entriesOf(last, most - 512), all.subarray(512 * hashBytes));
  assert.equal(first.readUInt16BE(0), 32);
  assert.equal(entriesOf(first.subarray(1), 256), undefined);
  assert.equal(entriesOf(flipped(first, 0), 256), undefined);
});

test("a tile that is not there, or has another length, is a problem with its path", async () => {
  const gone: ReadTile = (level, index, width) =>
    level === 1 ? Promise.resolve(undefined) : log.readTile(level, index, width);
  const path = "tile/1/000.p/2";
  await assert.rejects(
    inclusionProof(gone, 600, most),
    (error) => error instanceof TileProblem && error.kind === "missing" && error.path === path,
  );
  const short: ReadTile = async (...place) => (await log.readTile(...place))?.subarray(1);
  await assert.rejects(rootAt(short, most), (error) => error instanceof TileProblem && error.kind === "corrupted");
});

test("what is no index or size of the tree is a mistake of the caller", async () => {
  await assert.rejects(inclusionProof(log.readTile, most, most), RangeError);
  await assert.rejects(inclusionProof(log.readTile, 0.5, most), RangeError);
  await assert.rejects(consistencyProof(log.readTile, 0, most), RangeError);
  await assert.rejects(consistencyProof(log.readTile, most + 1, most), RangeError);
  assert.throws(() => grow({ ...emptyEdge, size: Number.MAX_SAFE_INTEGER }, all), RangeError);
});
