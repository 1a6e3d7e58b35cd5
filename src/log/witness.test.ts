import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock, emptyRoot, hashBytes } from "../base/index.ts";
import {
  addCheckpointBytesMax,
  addCosignatures,
  consistencyProof,
  formatAddCheckpoint,
  openCheckpoint,
  openWitness,
  verifierKeyOf,
  type Witness,
  type WitnessAnswer,
} from "./index.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { FakeDisk } from "./fake-disk.ts";
import { signText, type SigningKey } from "./keys.ts";
import { formatNote, parseNote } from "./note.ts";
import { entriesFrom, MemoryLog, privateKey, sha256 } from "./testing.ts";
import { rootAt } from "./tree.ts";

const origin = "example.com/log";
const key = { name: origin, privateKey: privateKey(1) };
const cosigner = { name: "witness.example/w1", privateKey: privateKey(2) };
const cosignerKey = verifierKeyOf("cosignature", cosigner);
const logs = [{ origin, keys: [verifierKeyOf("ed25519", key)] }];
const most = 600;
const entries = entriesFrom(0, most);
const tree = new MemoryLog().append(entries);
const fork = new MemoryLog().append(Buffer.concat([entries.subarray(0, 100 * hashBytes), entriesFrom(9_000, 500)]));

async function open(disk: FakeDisk): Promise<Witness> {
  const opened = await openWitness({ disk, clock: new ManualClock(5_999), cosigner, logs });
  assert.ok(opened.outcome === "opened");
  return opened.witness;
}

async function noteOf(of: MemoryLog, size: number, signer: SigningKey = key, name = origin): Promise<Buffer> {
  const root = await rootAt(of.readTile, size, of.edge.size);
  const text = formatCheckpoint({ origin: name, size, root, extensions: [] });
  return Buffer.from(formatNote({ text, signatures: [signText(text, signer)] }));
}

/** What a log asks of a witness: the tree of `size`, which is said to continue that of `oldSize`. */
async function request(oldSize: number, size: number, of = tree): Promise<Buffer> {
  const path = oldSize === 0 || oldSize > size ? [] : await consistencyProof(of.readTile, oldSize, size);
  return formatAddCheckpoint({ oldSize, path, checkpoint: await noteOf(of, size) });
}

async function status(witness: Witness, body: Buffer | string): Promise<number> {
  return (await witness.addCheckpoint(Buffer.from(body))).status;
}

test("a witness cosigns what continues what it has cosigned, with its time", async () => {
  const witness = await open(new FakeDisk());
  for (const [oldSize, size] of [
    [0, 5],
    [5, 5],
    [5, 256],
    [256, 600],
  ] as const) {
    const answer = await witness.addCheckpoint(await request(oldSize, size));
    assert.equal(answer.status, 200);
    const checkpoint = await noteOf(tree, size);
    const added = addCosignatures(checkpoint, answer.body, [cosignerKey]);
    assert.ok(added.outcome === "cosigned");
    assert.deepEqual(added.by, [cosignerKey]);
    const signed = parseNote(added.checkpoint);
    assert.ok(signed.outcome === "read");
    assert.equal(signed.note.signatures[1]!.bytes.readBigUInt64BE(), 5n, "whole seconds");
    assert.equal(witness.latest(origin), added.checkpoint.toString());
    assert.equal(openCheckpoint(added.checkpoint, logs).outcome, "signed");
  }
});

test("requests of another form are 400, and so is an old size beyond the checkpoint's", async () => {
  const witness = await open(new FakeDisk());
  const good = (await request(0, 5)).toString();
  const hash = sha256().toString("base64");
  const bad = [
    "",
    "old 0\n",
    good.replace("old 0\n", ""),
    good.replace("old 0", "old 00"),
    good.replace("old 0", "old -1"),
    good.replace("old 0\n", "old 0\r\n"),
    good.replace("old 0\n", "old 0\nno hash\n"),
    good.replace("old 0\n", `old 0\n${hash.slice(4)}\n`),
    good.replace("old 0\n", `old 0\n${`${hash}\n`.repeat(64)}`),
    good.replace("\n5\n", "\n05\n"),
    good.replace("— ", "- "),
    good.slice(0, -1),
    `${good}${"x".repeat(addCheckpointBytesMax)}`,
  ];
  for (const body of bad) assert.equal(await status(witness, body), 400, body.slice(0, 60));
  assert.equal(await status(witness, await request(6, 5)), 400);
  assert.equal(await status(witness, good), 200, "nothing of it was remembered");
});

test("an unknown log is 404; without a signature of the log, or with a wrong one, it is 403", async () => {
  const witness = await open(new FakeDisk());
  const send = (checkpoint: Buffer) => status(witness, formatAddCheckpoint({ oldSize: 0, path: [], checkpoint }));
  assert.equal(await send(await noteOf(tree, 5, key, "example.com/other")), 404);
  assert.equal(await send(await noteOf(tree, 5, { ...key, privateKey: privateKey(3) })), 403);
  const parsed = parseNote(await noteOf(tree, 5));
  assert.ok(parsed.outcome === "read");
  const [signature] = parsed.note.signatures;
  const forged = { ...signature!, bytes: Buffer.alloc(64) };
  assert.equal(await send(Buffer.from(formatNote({ ...parsed.note, signatures: [signature!, forged] }))), 403);
});

test("an old size that is not the witness's is 409, with the size that is", async () => {
  const witness = await open(new FakeDisk());
  await witness.addCheckpoint(await request(0, 5));
  const expected: WitnessAnswer = { status: 409, contentType: "text/x.tlog.size", body: "5\n" };
  for (const oldSize of [0, 4, 6]) assert.deepEqual(await witness.addCheckpoint(await request(oldSize, 100)), expected);
});

test("what does not continue the tree that was cosigned is 422", async () => {
  const witness = await open(new FakeDisk());
  const path = [sha256()];
  assert.equal(
    await status(witness, formatAddCheckpoint({ oldSize: 0, path, checkpoint: await noteOf(tree, 5) })),
    422,
  );
  const text = formatCheckpoint({ origin, size: 0, root: sha256(Buffer.of(1)), extensions: [] });
  const empty = Buffer.from(formatNote({ text, signatures: [signText(text, key)] }));
  assert.equal(await status(witness, formatAddCheckpoint({ oldSize: 0, path: [], checkpoint: empty })), 422);
  assert.equal(await status(witness, await request(0, 200)), 200);
  assert.equal(await status(witness, await request(200, 200, fork)), 422);
  assert.equal(await status(witness, await request(200, 300, fork)), 422);
  assert.equal(
    await status(witness, formatAddCheckpoint({ oldSize: 200, path: [], checkpoint: await noteOf(tree, 300) })),
    422,
  );
  assert.equal(await status(witness, await request(200, 300)), 200);
});

test("a checkpoint of nothing is cosigned too", async () => {
  const witness = await open(new FakeDisk());
  const text = formatCheckpoint({ origin, size: 0, root: emptyRoot, extensions: [] });
  const checkpoint = Buffer.from(formatNote({ text, signatures: [signText(text, key)] }));
  assert.equal(await status(witness, formatAddCheckpoint({ oldSize: 0, path: [], checkpoint })), 200);
});

test("of two requests at once, the second is decided on what the first has left", async () => {
  const witness = await open(new FakeDisk());
  const [long, short] = [await request(0, 500), await request(0, 100)];
  const answers = await Promise.all([witness.addCheckpoint(long), witness.addCheckpoint(short)]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 409],
  );
});

test("what was cosigned is remembered, and a damaged memory is told, not taken for none", async () => {
  const disk = new FakeDisk();
  await (await open(disk)).addCheckpoint(await request(0, 5));
  const next = disk.crash();
  assert.equal(await status(await open(next), await request(0, 7)), 409);
  assert.equal(await status(await open(next), await request(5, 7)), 200);
  const [path] = next.paths();
  assert.equal(path, sha256(Buffer.from(origin)).toString("hex"));
  const bytes = next.bytesOf(path);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const disk = next.kill();
    disk.bytesOf(path)[bit >> 3]! ^= 1 << (bit & 7);
    const opened = await openWitness({ disk, clock: new ManualClock(), cosigner, logs });
    const text = disk.bytesOf(path).toString("latin1").split("\n\n")[0];
    if (text !== bytes.toString("latin1").split("\n\n")[0]) assert.equal(opened.outcome, "damaged", `bit ${bit}`);
  }
});

test("an answer that is not of this witness, or not over this checkpoint, is refused", async () => {
  const witness = await open(new FakeDisk());
  const checkpoint = await noteOf(tree, 5);
  const answer = (await witness.addCheckpoint(await request(0, 5))).body;
  const refused = (body: string, keys = [cosignerKey]) =>
    assert.equal(addCosignatures(checkpoint, body, keys).outcome, "refused");
  refused("");
  refused("no signature\n");
  refused(answer.slice(0, -1));
  refused(answer, [verifierKeyOf("cosignature", { ...cosigner, privateKey: privateKey(3) })]);
  refused((await (await open(new FakeDisk())).addCheckpoint(await request(0, 6))).body);
  refused(checkpoint.toString().split("\n\n")[1]!);
});

test("no crash makes a witness cosign two trees that contradict each other", async () => {
  const step = fc.record({
    size: fc.integer({ min: 1, max: most }),
    isFork: fc.boolean(),
    after: fc.integer({ min: 0, max: 12 }),
    how: fc.constantFrom("crash" as const, "kill" as const, "fail" as const, "failOn" as const, "none" as const),
    seed: fc.nat(1),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      let disk = new FakeDisk();
      let witness = await open(disk);
      let cosigned = { size: 0, of: tree };
      for (const { size, isFork, after, how, seed } of steps) {
        const of = isFork ? fork : tree;
        const opened = openCheckpoint(Buffer.from(witness.latest(origin) ?? ""), logs);
        const oldSize = opened.outcome === "signed" ? opened.checkpoint.size : 0;
        assert.ok(oldSize >= cosigned.size, "what was cosigned is remembered");
        if (how === "fail" || how === "failOn") disk.failsAfter = after;
        else if (how !== "none") disk.diesAfter = after;
        const asked = witness.addCheckpoint(await request(oldSize, Math.max(size, oldSize), of)).catch(() => undefined);
        const answer = await Promise.race([asked, disk.died]);
        if (answer?.status === 200) {
          assert.ok(of === cosigned.of || cosigned.size <= 100, "no fork is cosigned");
          cosigned = { size: Math.max(size, oldSize), of };
        }
        disk.failsAfter = Infinity;
        if (how === "none" || how === "failOn") continue;
        disk = how === "crash" ? disk.crash((most) => seed * most) : disk.kill();
        witness = await open(disk);
      }
    }),
    { numRuns: 60 },
  );
});
