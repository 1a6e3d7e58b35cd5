import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ManualClock } from "../base/index.ts";
import {
  addCosignatures,
  formatAddCheckpoint,
  formatProof,
  formatVerifierKey,
  openSequencer,
  openWitness,
  parseVerifierKey,
  proveInclusion,
  type VerifierKey,
  verifierKeyOf,
  verifyProof,
} from "./index.ts";
import { FakeDisk } from "./fake-disk.ts";
import { privateKeyOf, sha256 } from "./testing.ts";

const [reference, receipts] = await Promise.all(
  ["log", "receipt"].map((name) => readFile(new URL(`../../docs/reference/${name}.md`, import.meta.url), "utf8")),
);

/** The text of the block that follows a line with this name at its end. */
function shown(name: string, text = reference!): string {
  const blocks = text.matchAll(/`([^`\n]+)`[^`\n]*:\n\n```text\n([^`]*)\n```/g);
  return [...blocks].find(([, block]) => block === name)?.[2] ?? `there is no ${name}`;
}

/** The secret keys of RFC 8032, section 7.1, tests 1 and 2: everyone knows them. */
const seeds = [
  "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
].map((seed) => privateKeyOf(Buffer.from(seed, "hex")));
const origin = "example.com/receipts";
const key = { name: origin, privateKey: seeds[0]! };
const cosigner = { name: "witness.example/w1", privateKey: seeds[1]! };
const clock = new ManualClock(Date.parse("2026-11-24T00:00:00Z"));

/** The entry of the receipt that receipt.md shows, as this page says that it is computed. */
function exampleEntry(): Buffer {
  const [type, statement] = ["application/vnd.in-toto+json", shown("statement", receipts)];
  return sha256(
    Buffer.of(0),
    Buffer.from(`DSSEv1 ${type.length} ${type} ${Buffer.byteLength(statement)} ${statement}`),
  );
}

async function example(): Promise<Readonly<Record<string, string>>> {
  const disk = new FakeDisk();
  const opened = await openSequencer({ disk, clock, origin, keys: [key] });
  assert.ok(opened.outcome === "opened");
  const { log } = opened;
  const entries = [Buffer.alloc(32, 1), exampleEntry(), Buffer.alloc(32, 2)];
  const batches = [
    { segment: 1, offset: 111, entries: Buffer.concat(entries.slice(0, 2)) },
    { segment: 1, offset: 2_222, entries: entries[2]! },
  ];
  await log.append(batches, { segment: 1, offset: 3_333 });
  const checkpoint = Buffer.from(log.checkpoint!);
  const proven = await proveInclusion(log.readTile, entries[1]!, 1, log);
  assert.ok(proven.outcome === "proven");
  const inHex = (path: string): string => disk.bytesOf(path).toString("hex");
  return {
    "log-key": formatVerifierKey(verifierKeyOf("ed25519", key)),
    "witness-key": formatVerifierKey(verifierKeyOf("cosignature", cosigner)),
    entry: entries[1]!.toString("hex"),
    "tile/entries/000.p/3": inHex("tile/entries/000.p/3"),
    "tile/0/000.p/3": inHex("tile/0/000.p/3"),
    batches: inHex("batches"),
    state: disk.bytesOf("state").toString(),
    checkpoint: checkpoint.toString(),
    proof: formatProof({ index: 1, path: proven.path, checkpoint: await cosigned(checkpoint) }).toString(),
  };
}

async function cosigned(checkpoint: Buffer): Promise<Buffer> {
  const logs = [{ origin, keys: [verifierKeyOf("ed25519", key)] }];
  const opened = await openWitness({ disk: new FakeDisk(), clock, cosigner, logs });
  assert.ok(opened.outcome === "opened");
  const { body } = await opened.witness.addCheckpoint(formatAddCheckpoint({ oldSize: 0, path: [], checkpoint }));
  const added = addCosignatures(checkpoint, body, [verifierKeyOf("cosignature", cosigner)]);
  assert.ok(added.outcome === "cosigned");
  return added.checkpoint;
}

test("the reference's example is what this code makes", async () => {
  const made = Object.entries(await example()).map(([name, text]) => [name, text.trimEnd()]);
  assert.deepEqual(
    made.map(([name]) => [name, shown(name!)]),
    made,
  );
});

test("the reference's example verifies as a reader would try it", () => {
  const keyOf = (name: string): VerifierKey => {
    const parsed = parseVerifierKey(shown(name));
    assert.ok(parsed.outcome === "read");
    return parsed.key;
  };
  const verdict = verifyProof({
    proof: Buffer.from(`${shown("proof")}\n`),
    entry: Buffer.from(shown("entry"), "hex"),
    logs: [{ origin, keys: [keyOf("log-key")] }],
    witnesses: { keys: [keyOf("witness-key")], quorum: 1 },
  });
  assert.ok(verdict.outcome === "valid", verdict.outcome === "valid" ? "" : verdict.reason);
  assert.deepEqual(verdict.witnesses, [{ name: "witness.example/w1", timestampSeconds: 1_795_478_400 }]);
});
