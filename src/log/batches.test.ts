import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchesPath, batchRecordBytes, encodeBatches, findBatch } from "./batches.ts";
import { FakeDisk } from "./fake-disk.ts";

/** Every second position of five in each segment; the index of a batch's first entry is seven times its number. */
function recordsOf(count: number) {
  return Array.from({ length: count }, (_, number) => ({
    segment: 1 + Math.floor(number / 5),
    offset: (number % 5) * 2,
    first: number * 7,
  }));
}

async function diskWith(count: number): Promise<FakeDisk> {
  const disk = new FakeDisk();
  // What stands behind the records that count is never looked at.
  await disk.write(batchesPath, Buffer.concat([encodeBatches(recordsOf(count)), Buffer.alloc(33, 0xff)]));
  return disk;
}

test("a batch is found at its own position, and nothing is found between batches or outside", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 12_000 }), async (count) => {
      const disk = await diskWith(count);
      const records = recordsOf(count);
      for (const record of records.filter((_, number) => number % 397 === 0 || number > count - 3)) {
        assert.deepEqual(await findBatch(disk, count, record), { outcome: "found", first: record.first });
        assert.deepEqual(await findBatch(disk, count, { ...record, offset: record.offset + 1 }), { outcome: "absent" });
      }
      assert.deepEqual(await findBatch(disk, count, { segment: 0, offset: 9 }), { outcome: "absent" });
      assert.deepEqual(await findBatch(disk, count, { segment: 9_000, offset: 0 }), { outcome: "absent" });
    }),
    { numRuns: 15 },
  );
});

test("a damaged record on the way is told", async () => {
  // In one read, bisection begins in the middle.
  const disk = await diskWith(1_000);
  for (let bit = 0; bit < batchRecordBytes * 8; bit++) {
    const damaged = disk.kill();
    damaged.bytesOf(batchesPath)[500 * batchRecordBytes + (bit >> 3)]! ^= 1 << (bit & 7);
    const found = await findBatch(damaged, 1_000, recordsOf(1_000)[500]!);
    assert.deepEqual(found, { outcome: "damaged", reason: "record 500 of batches is not intact" });
  }
});
