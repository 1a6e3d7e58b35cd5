import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Checkpoint,
  formatProof,
  inclusionProof,
  parseProof,
  type ProofInput,
  verifyProof,
  verifierKeyOf,
} from "./index.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { entryBytes, rootOf } from "./edge.ts";
import { cosignText, signText } from "./keys.ts";
import { formatNote } from "./note.ts";
import { entriesFrom, entryAt, MemoryLog, privateKey } from "./testing.ts";

const origin = "example.com/log";
const key = { name: origin, privateKey: privateKey(1) };
const witnesses = [2, 3, 4].map((byte) => ({ name: `witness.example/${byte}`, privateKey: privateKey(byte) }));
const cosigners = witnesses.map((witness) => verifierKeyOf("cosignature", witness));
const logs = [{ origin, keys: [verifierKeyOf("ed25519", key)] }];
const [size, index] = [300, 70];
const entries = entriesFrom(0, size);
const entry = entryAt(entries, index);
const log = new MemoryLog().append(entries);
const checkpoint: Checkpoint = { origin, size, root: rootOf(log.edge), extensions: [] };
const path = await inclusionProof(log.readTile, index, size);

/** A proof whose checkpoint the first `count` witnesses have cosigned. */
function proofWith(count: number, extra?: Buffer): Buffer {
  const text = formatCheckpoint(checkpoint);
  const cosignatures = witnesses.slice(0, count).map((witness, at) => cosignText(text, witness, 1_000 + at));
  const note = Buffer.from(formatNote({ text, signatures: [signText(text, key), ...cosignatures] }));
  return formatProof({ index, path, checkpoint: note, ...(extra === undefined ? {} : { extra }) });
}

function outcomeOf(input: Partial<ProofInput>): string {
  return verifyProof({ proof: proofWith(2), entry, logs, ...input }).outcome;
}

test("a proof holds for its entry, and states where it is and who witnessed it", () => {
  const policy = { keys: cosigners, quorum: 2 };
  const verdict = verifyProof({ proof: proofWith(2), entry, logs, witnesses: policy });
  assert.deepEqual(verdict, {
    outcome: "valid",
    index,
    checkpoint,
    witnesses: [
      { name: "witness.example/2", timestampSeconds: 1_000 },
      { name: "witness.example/3", timestampSeconds: 1_001 },
    ],
  });
  assert.equal(outcomeOf({ witnesses: { ...policy, quorum: 3 } }), "invalid");
  assert.equal(outcomeOf({ proof: proofWith(0) }), "valid");
  assert.equal(outcomeOf({ entry: entryAt(entries, index + 1) }), "invalid");
  assert.equal(outcomeOf({ logs: [{ origin: "example.com/other", keys: logs[0]!.keys }] }), "invalid");
  assert.equal(outcomeOf({ logs: [{ origin, keys: [verifierKeyOf("ed25519", witnesses[0]!)] }] }), "invalid");
});

test("a public key counts once, under however many names it is known, and only as a cosigner's", () => {
  const renamed = { name: "witness.example/again", privateKey: privateKey(2) };
  const text = formatCheckpoint(checkpoint);
  const signatures = [signText(text, key), cosignText(text, witnesses[0]!, 1), cosignText(text, renamed, 1)];
  const proof = formatProof({ index, path, checkpoint: Buffer.from(formatNote({ text, signatures })) });
  const keys = [cosigners[0]!, verifierKeyOf("cosignature", renamed)];
  assert.equal(outcomeOf({ proof, witnesses: { keys, quorum: 1 } }), "valid");
  assert.equal(outcomeOf({ proof, witnesses: { keys, quorum: 2 } }), "invalid");
  assert.equal(outcomeOf({ proof, witnesses: { keys: logs[0]!.keys, quorum: 1 } }), "invalid");
});

test("a pinned checkpoint is the same tree, another one, or takes a proof of consistency", () => {
  assert.equal(outcomeOf({ pinned: checkpoint }), "valid");
  assert.equal(outcomeOf({ pinned: { ...checkpoint, root: Buffer.alloc(32) } }), "invalid");
  assert.equal(outcomeOf({ pinned: { ...checkpoint, origin: "example.com/other", root: Buffer.alloc(32) } }), "valid");
  for (const other of [1, size + 1]) {
    const pinned = { ...checkpoint, size: other, root: Buffer.alloc(32) };
    const verdict = verifyProof({ proof: proofWith(2), entry, logs, pinned });
    assert.ok(verdict.outcome === "undecided");
    const [older, newer] = other < size ? [pinned, checkpoint] : [checkpoint, pinned];
    assert.deepEqual([verdict.older, verdict.newer], [older, newer]);
  }
});

test("with any one bit flipped a proof does not hold", async () => {
  const small = new MemoryLog().append(entries.subarray(0, 3 * entryBytes));
  const text = formatCheckpoint({ origin, size: 3, root: rootOf(small.edge), extensions: [] });
  const signatures = [signText(text, key), cosignText(text, witnesses[0]!, 7)];
  const path = await inclusionProof(small.readTile, 1, 3);
  const proof = formatProof({ index: 1, path, checkpoint: Buffer.from(formatNote({ text, signatures })) });
  const input = { entry: entryAt(entries, 1), witnesses: { keys: cosigners, quorum: 1 } };
  assert.equal(outcomeOf({ proof, ...input }), "valid");
  for (let bit = 0; bit < proof.length * 8; bit++) {
    const flipped = Buffer.from(proof);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(outcomeOf({ proof: flipped, ...input }), "invalid", `bit ${bit}`);
  }
});

test("extra data is kept, and signed by nobody", () => {
  const proof = proofWith(2, Buffer.from("where it came from"));
  const parsed = parseProof(proof);
  assert.equal(parsed.outcome === "read" && parsed.proof.extra?.toString(), "where it came from");
  assert.equal(outcomeOf({ proof }), "valid");
});

test("proofs that are not of the one form are malformed", () => {
  const text = proofWith(1).toString();
  const hash = path[0]!.toString("base64");
  const bad = [
    "",
    text.replace("@v1", "@v2"),
    text.replace("index 70", "index 070"),
    text.replace("index 70", "index -70"),
    text.replace("index 70\n", ""),
    text.replace("index 70", "extra !\nindex 70"),
    text.replace("index 70", "extra YQ\nindex 70"),
    text.replace("index 70", "extra YQ==\nextra YQ==\nindex 70"),
    text.replace("index 70", "index 70\nextra YQ=="),
    text.replace(hash, hash.slice(4)),
    text.replace(`${hash}\n`, `${hash}\r\n`),
    text.replace(`${hash}\n`, `${hash}\n`.repeat(60)),
    text.split("\n\n")[0]!,
    "x".repeat(300_000),
  ];
  for (const each of bad) assert.equal(parseProof(Buffer.from(each)).outcome, "malformed", each.slice(0, 200));
  assert.equal(parseProof(Buffer.concat([Buffer.from(text), Buffer.of(0xff)])).outcome, "malformed");
});
