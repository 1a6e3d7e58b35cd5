import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, RefusalError, type RequestId } from "../base/index.ts";
import {
  FakeDisk,
  intentBytesMax,
  type Intent,
  type Journal,
  type JournalBatch,
  JournalOpenError,
  type JournalOptions,
  noteBytesMax,
  openJournal,
  settlementBytesMax,
} from "./index.ts";

const kib = 1024;

function start(disk: FakeDisk, more: Partial<JournalOptions> = {}): Promise<Journal> {
  return openJournal({
    disk,
    clock: new ManualClock(),
    installation: "inst_00000000000000000000000000",
    gateway: "gw_00000000000000000000000000",
    segmentBytes: 64 * kib,
    seal: (payloads) => `{"seal":${payloads.length}}`,
    ...more,
  });
}

function request(number: number): RequestId {
  return `req_${String(number).padStart(26, "0")}`;
}

function intend(journal: Journal, number: number, body = "{}"): Intent {
  const intent = journal.intend(request(number), body);
  if (intent.outcome === "refused") throw new RefusalError(intent);
  return intent;
}

/** Intends and settles, and waits until both are durable. */
async function serve(journal: Journal, number: number, receipt?: string): Promise<void> {
  const intent = intend(journal, number);
  await intent.durable;
  await journal.settle(intent, "{}", receipt).durable;
}

async function collect(batches: AsyncIterable<JournalBatch>): Promise<JournalBatch[]> {
  const collected: JournalBatch[] = [];
  for await (const batch of batches) collected.push(batch);
  return collected;
}

async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("records that come while a sync is under way are one batch: durable with the next sync, told to nobody before", async () => {
  const foundAfter = async (end: "killed during the sync" | "killed after the next"): Promise<readonly number[]> => {
    const disk = new FakeDisk();
    const journal = await start(disk);
    disk.holdSyncs();
    const first = intend(journal, 1);
    await turns();
    const second = intend(journal, 2);
    const third = intend(journal, 3);
    assert.equal(second.durable, third.durable, "one promise a batch");
    await turns();
    if (end === "killed after the next") {
      disk.releaseSyncs();
      await third.durable;
    }
    const survivor = await start(disk.kill());
    const kept = survivor.openIntents().map(({ intent }) => intent.request);
    return [first, second, third].flatMap(({ request }, index) => (kept.includes(request) ? [index + 1] : []));
  };
  assert.deepEqual(await foundAfter("killed during the sync"), [1]);
  assert.deepEqual(await foundAfter("killed after the next"), [1, 2, 3]);
});

test("one batch of everything that came during a sync: leaves, indexes and one seal", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  const intents = [1, 2, 3].map((number) => intend(journal, number));
  await turns();
  disk.holdSyncs();
  const blocker = intend(journal, 4);
  await turns();
  const settled = intents.map((intent, index) => journal.settle(intent, `{"n":${index}}`, `{"receipt":${index}}`));
  journal.settle(blocker, "{}");
  disk.releaseSyncs();
  await Promise.all(settled.map((each) => each.durable));
  const [, , last] = await collect(journal.read());
  assert.deepEqual(last!.leaves, ['{"receipt":0}', '{"receipt":1}', '{"receipt":2}']);
  assert.equal(last!.seal, '{"seal":3}');
  const found = await journal.readSettlement(settled[1]!.position);
  assert.equal(found?.settlement.leaf, 1);
  assert.equal(found?.settlement.receipt, found?.batch.leaves[1]);
  assert.deepEqual(found?.settlement.intent, intents[1]!.position);
  assert.equal(await journal.readSettlement(intents[1]!.position), undefined, "an intent is no settlement");
  assert.equal(await journal.readSettlement({ segment: 1, offset: settled[1]!.position.offset + 1 }), undefined);
  assert.equal(await journal.readSettlement({ segment: 9, offset: 200 }), undefined);
  await journal.close();
});

test("after a failed sync nothing is acknowledged any more, and every caller hears why", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  const settled = intend(journal, 1);
  await settled.durable;
  disk.failingSyncs = 1;
  const lost = intend(journal, 2);
  await assert.rejects(
    lost.durable,
    (error) => error instanceof RefusalError && error.refusal.code === "journal_failed",
  );
  const refused = journal.intend(request(3), "{}");
  assert.equal(refused.outcome === "refused" && refused.code, "journal_failed");
  assert.throws(() => journal.settle(settled, "{}"), RefusalError);
  journal.note("refusal", "{}");
  assert.equal(journal.state().failed, true);
  assert.equal(journal.state().droppedNotes, 1);
  await journal.close();
});

test("a disk without room refuses new intents, keeps its promise to open ones, and recovers by itself", async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk(2 * 64 * kib);
  const journal = await start(disk, { clock });
  await turns();
  const open: Intent[] = [];
  for (let number = 1; ; number++) {
    const intent = journal.intend(request(number), JSON.stringify("x".repeat(2_000)));
    if (intent.outcome === "refused") {
      assert.equal(intent.code, "journal_full");
      break;
    }
    open.push(intent);
    assert.ok(number < 100);
  }
  assert.ok(open.length >= 8, `${open.length} intents`);
  assert.equal(journal.state().openIntents, open.length);
  disk.capacityBytes = 10 * 64 * kib;
  clock.advance(1_000);
  assert.equal(journal.intend(request(998), "{}").outcome, "refused", "the attempt goes on behind");
  await turns();
  const recovered = intend(journal, 999);
  const largest = "y".repeat(settlementBytesMax - 2);
  for (const intent of [...open, recovered]) await journal.settle(intent, JSON.stringify(largest)).durable;
  assert.equal(journal.state().openIntents, 0);
  await journal.close();
});

test("whatever intents are accepted on a disk with few segments, settlements of the largest size fit", async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: intentBytesMax - 2 }), { minLength: 1, maxLength: 60, size: "max" });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      sizes,
      fc.integer({ min: 1, max: 8 }),
      async (segments, each, settleEvery) => {
        const journal = await start(new FakeDisk(segments * 64 * kib), { segmentBytes: 64 * kib });
        await turns(8);
        const open: Intent[] = [];
        const settle = (): unknown => journal.settle(open.shift()!, JSON.stringify("s".repeat(settlementBytesMax - 2)));
        for (const [index, size] of each.entries()) {
          const intent = journal.intend(request(index), JSON.stringify("i".repeat(size)));
          if (intent.outcome === "intended") open.push(intent);
          if (index % settleEvery === 0 && open.length > 0) settle();
          // A batch for each record takes the most room.
          await turns(index % 3 === 0 ? 4 : 0);
        }
        while (open.length > 0) {
          settle();
          await turns(4);
        }
        await journal.close();
      },
    ),
    { numRuns: 60 },
  );
});

test("notes beyond the limit are counted, and the count is recorded", async () => {
  const clock = new ManualClock();
  const journal = await start(new FakeDisk(), { clock, notesPerSecond: 3 });
  for (let number = 0; number < 10; number++) journal.note("refusal", `{"n":${number}}`);
  journal.note("policy", JSON.stringify("x".repeat(noteBytesMax)));
  assert.equal(journal.state().droppedNotes, 8);
  clock.advance(1_000);
  journal.note("policy", '{"n":11}');
  await serve(journal, 1);
  const records = (await collect(journal.read())).flatMap((batch) => batch.records);
  const notes = records.flatMap((record) => (record.kind === "note" ? [`${record.note} ${record.body}`] : []));
  assert.deepEqual(notes, [
    'refusal {"n":0}',
    'refusal {"n":1}',
    'refusal {"n":2}',
    'dropped {"dropped":8}',
    'policy {"n":11}',
  ]);
  await journal.close();
});

test("a follower reads on as batches become durable, through rotations, and ends with its signal", async () => {
  const journal = await start(new FakeDisk());
  const stop = new AbortController();
  const seen: string[] = [];
  const reading = (async () => {
    for await (const batch of journal.read(undefined, stop.signal)) {
      for (const record of batch.records) if (record.kind === "intent") seen.push(record.request);
      if (seen.length === 40) stop.abort();
    }
  })();
  for (let number = 0; number < 40; number++) {
    const intent = intend(journal, number, JSON.stringify("x".repeat(4_000)));
    await intent.durable;
    await journal.settle(intent, "{}").durable;
  }
  await reading;
  assert.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, number) => request(number)),
  );
  assert.ok(journal.state().segments > 2);
  await journal.close();
});

test("a follower ends when the journal closes; a reader ahead of the journal is told so", async () => {
  const journal = await start(new FakeDisk());
  await serve(journal, 1);
  const reading = collect(journal.read(undefined, new AbortController().signal));
  await turns();
  await journal.close();
  assert.equal((await reading).length, 2);
  await assert.rejects(collect(journal.read({ segment: 7, offset: 111 })), /another journal's/);
});

test("a request that runs elsewhere has one open intent, the last, and holds no segment by the one before", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  const first = intend(journal, 1, '{"at":"a"}');
  for (let number = 2; number < 40; number++) {
    const other = intend(journal, number, JSON.stringify("x".repeat(8_000)));
    await other.durable;
    await journal.settle(other, "{}").durable;
  }
  const second = journal.intend(request(1), '{"at":"b"}', first);
  assert.ok(second.outcome === "intended");
  await second.durable;
  assert.equal(journal.state().openIntents, 1);
  assert.throws(() => journal.settle(first, "{}"), /no open intent/);
  assert.throws(() => journal.intend(request(1), "{}", first), /no such open intent/);
  assert.throws(() => journal.intend(request(2), "{}", second), /no such open intent/);
  await journal.release(journal.durable);
  assert.equal(journal.state().segments, 1);
  await journal.close();
  const after = await start(disk.kill());
  const open = after.openIntents();
  assert.deepEqual(
    open.map(({ body }) => body),
    ['{"at":"b"}'],
  );
  await after.settle(open[0]!.intent, "{}").durable;
  await after.close();
});

test("released segments go, those with open intents and all behind them stay", async () => {
  const journal = await start(new FakeDisk());
  const old = intend(journal, 0);
  for (let number = 1; number < 40; number++) {
    const intent = intend(journal, number, JSON.stringify("x".repeat(8_000)));
    await intent.durable;
    await journal.settle(intent, "{}").durable;
  }
  const { segments } = journal.state();
  await journal.release(journal.durable);
  assert.equal(journal.state().segments, segments);
  assert.equal(journal.state().unshippedBytes, 0);
  await journal.settle(old, "{}").durable;
  await journal.release(journal.durable);
  assert.equal(journal.state().segments, 1);
  assert.deepEqual(await collect(journal.read(journal.durable)), []);
  await assert.rejects(collect(journal.read({ segment: 1, offset: 111 })), /not here any more/);
  await journal.close();
});

test("a body over its bound, or of several lines, is the caller's defect and leaves the journal as it was", async () => {
  const journal = await start(new FakeDisk());
  assert.throws(() => journal.intend(request(1), JSON.stringify("x".repeat(intentBytesMax))), RangeError);
  assert.throws(() => journal.intend(request(1), "{\n}"), RangeError);
  const intent = intend(journal, 2);
  assert.throws(() => journal.settle(intent, JSON.stringify("é".repeat(settlementBytesMax / 2))), RangeError);
  assert.throws(() => journal.settle(intent, "x".repeat(5_000), "y".repeat(5_000)), RangeError);
  await journal.settle(intent, "{}").durable;
  assert.throws(() => journal.settle(intent, "{}"), /no open intent/);
  assert.equal((await collect(journal.read())).flatMap((batch) => batch.records).length, 2);
  await journal.close();
  const refused = journal.intend(request(3), "{}");
  assert.equal(refused.outcome === "refused" && refused.code, "draining");
});

test("another installation's or gateway's segments are refused", async () => {
  const disk = new FakeDisk();
  await (await start(disk)).close();
  for (const other of [
    { installation: "inst_00000000000000000000000001" },
    { gateway: "gw_00000000000000000000000001" },
  ] as const) {
    await assert.rejects(
      start(disk, other),
      (error) => error instanceof JournalOpenError && error.reason === "foreign",
    );
  }
});

test("a record behind a torn one does not come back to life", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  await serve(journal, 1);
  disk.holdSyncs();
  const body = JSON.stringify("x".repeat(1_000));
  const first = intend(journal, 2, body);
  intend(journal, 3, body);
  await turns();
  const before = first.position.offset;
  // Of the two records the first one's sectors are lost and the second one's reach the disk.
  let sector = -1;
  const torn = disk.crash((most) => {
    sector++;
    return most > 0 && sector * 512 > before + 600 ? most : 0;
  });
  const next = await start(torn);
  assert.ok(next.state().clearedBytes > 0);
  assert.deepEqual(next.openIntents(), []);
  // The same length in the same place: only cleared bytes keep the torn record from following it.
  await intend(next, 4, body).durable;
  const after = await start(torn.kill());
  assert.deepEqual(
    after.openIntents().map(({ intent }) => intent.request),
    [request(4)],
  );
});

test("wherever a sector ends in a line, its tear is told from damage", async () => {
  for (let pad = 0; pad < 512; pad++) {
    const disk = new FakeDisk();
    const journal = await start(disk);
    await intend(journal, 1, JSON.stringify("p".repeat(pad))).durable;
    disk.holdSyncs();
    intend(journal, 2, JSON.stringify("x".repeat(1_000)));
    await turns(3);
    // Only every other sector reaches the disk.
    let sector = pad;
    const next = await start(disk.crash((most) => (sector++ % 2 === 0 ? most : 0)));
    assert.equal(next.openIntents().length, 1, `with ${pad} bytes before it`);
  }
});

test("a flipped bit anywhere in what was synced stops the start, and names the place", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  for (const number of [1, 2, 3]) await serve(journal, number, `{"receipt":${number}}`);
  const end = journal.durable.offset;
  await journal.close();
  for (let at = 0; at < end; at++) {
    const copy = disk.kill();
    const bytes = copy.bytesOf("0000000001.journal");
    bytes[at]! ^= 1 << ((at * 5) % 8);
    await assert.rejects(
      start(copy),
      (error) => error instanceof JournalOpenError && error.position.offset <= at && /0000000001/.test(error.message),
      `byte ${at}`,
    );
  }
});

test("a missing segment is damage, not an end", async () => {
  const disk = new FakeDisk();
  const journal = await start(disk);
  for (let number = 0; number < 40; number++) await serve(journal, number, JSON.stringify("x".repeat(4_000)));
  await journal.close();
  assert.ok((await disk.list()).length >= 4);
  await disk.remove("0000000002.journal");
  await assert.rejects(start(disk), /0000000002.journal is damaged at byte 0: the segment is missing/);
});

test("an empty folder begins with the segment that it is told to", async () => {
  const journal = await start(new FakeDisk(), { firstSegment: 8 });
  assert.equal(journal.first.segment, 8);
  await journal.close();
});
