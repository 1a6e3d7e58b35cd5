/**
 * The transparency log at size: how fast entries are appended, with and without a disk, what a batch costs alone, how long a
 * proof takes from tiles on disk, what the log takes there, and how many proofs a verifier checks a second. One process,
 * one core for all hashing; the disk is that of the system's folder for temporary files.
 */
import { generateKeyPairSync, randomFillSync } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/index.ts";
import {
  addCosignatures,
  appendEntriesMax,
  type Disk,
  entryBytes,
  folderDisk,
  formatAddCheckpoint,
  formatProof,
  openSequencer,
  openWitness,
  proveInclusion,
  type Sequencer,
  verifierKeyOf,
  verifyProof,
} from "../src/log/index.ts";
import { atLeast, atMost, type Bench, type BenchOptions, type Outcome, rounded } from "./report.ts";
import { distribution, type Distribution } from "./statistics.ts";

export const logBench: Bench = { name: "log", run };

const origin = "bench.example/log";
const key = { name: origin, privateKey: generateKeyPairSync("ed25519").privateKey };
const cosigner = { name: "witness.example/bench", privateKey: generateKeyPairSync("ed25519").privateKey };
const trusted = [{ origin, keys: [verifierKeyOf("ed25519", key)] }];
const witnesses = { keys: [verifierKeyOf("cosignature", cosigner)], quorum: 1 };

/** As many receipts as a busy gateway seals in one group commit. */
const batchEntries = 64;
const largest = Math.floor(appendEntriesMax / batchEntries) * batchEntries;

interface Figures {
  readonly entries: number;
  readonly memoryPerSecond: number;
  readonly diskPerSecond: number;
  /** One batch of 64 an append, each durable before the next. */
  readonly batchMs: Distribution;
  readonly openMs: number;
  /** To find a batch and read the path of one of its entries. */
  readonly proofMs: Distribution;
  /** Of all threads, the mean: it hardly depends on what else the machine does. */
  readonly proofProcessorMs: number;
  readonly proofBytes: number;
  readonly verifiedPerSecond: number;
  /** Of all files: their lengths, and the blocks that they take. */
  readonly bytes: number;
  readonly allocatedBytes: number;
  readonly files: number;
}

async function run({ quick, entries: wanted, progress }: BenchOptions): Promise<Outcome> {
  const entries = Math.ceil((wanted ?? (quick ? 200_000 : 10_000_000)) / batchEntries) * batchEntries;
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  try {
    const memoryPerSecond = await appendRate(await open(nowhere), Math.min(entries, 1_000_000));
    progress(`without a disk: ${Math.round(memoryPerSecond)} entries/s`);
    const log = await open(await folderDisk(folder));
    const diskPerSecond = await appendRate(log, entries);
    progress(`on disk: ${Math.round(diskPerSecond)} entries/s, ${log.size} entries`);
    const batchMs = distribution(await batchTimesMs(log, quick ? 50 : 200));
    const startMs = performance.now();
    const opened = await open(await folderDisk(folder));
    const openMs = performance.now() - startMs;
    const proven = await prove(opened, quick ? 200 : 2_000);
    progress(`proofs: ${proven.proofMs.p50.toFixed(2)} ms (p50), ${proven.proofMs.p99.toFixed(2)} ms (p99)`);
    const size = await sizeOf(folder);
    return summarize({ entries: opened.size, memoryPerSecond, diskPerSecond, batchMs, openMs, ...proven, ...size });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A disk that keeps nothing: what is left of an append is the work of the processor. */
const nowhere: Disk = {
  read: () => Promise.resolve(undefined),
  readPart: () => Promise.resolve(Buffer.alloc(0)),
  sizeOf: () => Promise.resolve(undefined),
  exists: () => Promise.resolve(false),
  makeFolder: () => Promise.resolve(),
  write: () => Promise.resolve(),
  writeEnd: () => Promise.resolve(),
  rename: () => Promise.resolve(),
  removeFolder: () => Promise.resolve(),
  syncFolder: () => Promise.resolve(),
};

async function open(disk: Disk): Promise<Sequencer> {
  const opened = await openSequencer({ disk, clock: systemClock, origin, keys: [key] });
  if (opened.outcome !== "opened") throw new Error(opened.reason);
  return opened.log;
}

/** Any bytes are commitments; the entry at an index is always the same, so that it needs no memory. */
function entryAt(index: number): Buffer {
  const entry = Buffer.from(filling);
  entry.writeDoubleBE(index);
  return entry;
}

const filling = randomFillSync(Buffer.alloc(entryBytes));

function batchesFrom(first: number, entries: number) {
  return Array.from({ length: entries / batchEntries }, (_, number) => {
    const from = first + number * batchEntries;
    return {
      ...positionOf(from),
      entries: Buffer.concat(Array.from({ length: batchEntries }, (_, at) => entryAt(from + at))),
    };
  });
}

function positionOf(first: number) {
  const batch = first / batchEntries;
  return { segment: 1 + Math.floor(batch / 65_536), offset: batch % 65_536 };
}

async function append(log: Sequencer, batches: ReturnType<typeof batchesFrom>): Promise<void> {
  const appended = await log.append(batches, null);
  if (appended.outcome === "full") throw new Error(appended.reason);
}

/** Entries a second in appends of the largest size, not counting the time that making entries takes. */
async function appendRate(log: Sequencer, entries: number): Promise<number> {
  let spentMs = 0;
  while (log.size < entries) {
    const batches = batchesFrom(log.size, Math.min(largest, entries - log.size));
    const startMs = performance.now();
    await append(log, batches);
    spentMs += performance.now() - startMs;
  }
  return (entries / spentMs) * 1_000;
}

async function batchTimesMs(log: Sequencer, count: number): Promise<number[]> {
  const timesMs: number[] = [];
  for (let number = 0; number < count; number++) {
    const batches = batchesFrom(log.size, batchEntries);
    const startMs = performance.now();
    await append(log, batches);
    timesMs.push(performance.now() - startMs);
  }
  return timesMs;
}

/** Proofs of entries anywhere in the log against its newest checkpoint, with a witness's signature; then verified. */
async function prove(
  log: Sequencer,
  count: number,
): Promise<Pick<Figures, "proofMs" | "proofProcessorMs" | "proofBytes" | "verifiedPerSecond">> {
  const checkpoint = await cosigned(log);
  const timesMs: number[] = [];
  const proofs: { proof: Buffer; entry: Buffer }[] = [];
  const before = process.cpuUsage();
  for (let number = 0; number < count; number++) {
    const index = Math.floor((number * 0.618_033_988_75 * log.size) % log.size);
    const place = index % batchEntries;
    const entry = entryAt(index);
    const startMs = performance.now();
    const found = await log.find(positionOf(index - place));
    if (found.outcome !== "found") throw new Error(`a batch was not found: ${found.outcome}`);
    const proven = await proveInclusion(log.readTile, entry, found.first + place, log);
    if (proven.outcome !== "proven") throw new Error(proven.reason);
    timesMs.push(performance.now() - startMs);
    proofs.push({ entry, proof: formatProof({ index: found.first + place, path: proven.path, checkpoint }) });
  }
  const { user, system } = process.cpuUsage(before);
  const proofProcessorMs = (user + system) / 1_000 / count;
  const startMs = performance.now();
  for (const { proof, entry } of proofs) {
    const verdict = verifyProof({ proof, entry, logs: trusted, witnesses });
    if (verdict.outcome !== "valid") throw new Error("a proof does not hold");
  }
  const verifiedPerSecond = (count / (performance.now() - startMs)) * 1_000;
  return { proofMs: distribution(timesMs), proofProcessorMs, proofBytes: proofs[0]!.proof.length, verifiedPerSecond };
}

async function cosigned(log: Sequencer): Promise<Buffer> {
  const checkpoint = Buffer.from(log.checkpoint!);
  const opened = await openWitness({ disk: nowhere, clock: systemClock, cosigner, logs: trusted });
  if (opened.outcome !== "opened") throw new Error(opened.reason);
  const answer = await opened.witness.addCheckpoint(formatAddCheckpoint({ oldSize: 0, path: [], checkpoint }));
  const added = addCosignatures(checkpoint, answer.body, witnesses.keys);
  if (added.outcome === "refused") throw new Error(added.reason);
  return added.checkpoint;
}

async function sizeOf(folder: string): Promise<Pick<Figures, "bytes" | "allocatedBytes" | "files">> {
  let [bytes, allocatedBytes, files] = [0, 0, 0];
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of found.filter((each) => each.isFile())) {
    const { size, blocks } = await stat(join(entry.parentPath, entry.name));
    [bytes, allocatedBytes, files] = [bytes + size, allocatedBytes + blocks * 512, files + 1];
  }
  return { bytes, allocatedBytes, files };
}

function summarize(figures: Figures): Outcome {
  const { entries, batchMs, proofMs } = figures;
  const [bytesPerEntry, allocatedPerEntry] = [figures.bytes / entries, figures.allocatedBytes / entries];
  const whole = (value: number): string => Math.round(value).toLocaleString("en");
  return {
    results: { ...figures, bytesPerEntry, allocatedPerEntry, batchEntries },
    aims: [
      atLeast("entries appended a second, without a disk", figures.memoryPerSecond, 200_000),
      atMost("ms to find a batch and make a proof, p90", proofMs.p90, 10),
      atMost("bytes an entry in the log's files", bytesPerEntry, 70),
    ],
    table: {
      columns: ["what", "figure"],
      rows: [
        ["entries in the log", whole(entries)],
        ["appended a second, without a disk", whole(figures.memoryPerSecond)],
        ["appended a second, durable, 65,536 at once", whole(figures.diskPerSecond)],
        [`one batch of ${batchEntries}, durable, ms`, `${rounded(batchMs.p50)} (p50) ${rounded(batchMs.p99)} (p99)`],
        ["opening the log, ms", String(rounded(figures.openMs))],
        ["a proof from disk, ms", `${rounded(proofMs.p50)} (p50) ${rounded(proofMs.p99)} (p99)`],
        ["a proof's processor time, ms", String(rounded(figures.proofProcessorMs))],
        ["a proof's bytes, one witness", whole(figures.proofBytes)],
        ["proofs verified a second, one witness", whole(figures.verifiedPerSecond)],
        ["bytes an entry", `${rounded(bytesPerEntry)} (${rounded(allocatedPerEntry)} allocated)`],
        ["files", whole(figures.files)],
      ],
    },
    notes: [
      "Proofs are made from the operating system's cache where it holds the tiles; each is verified as it is made.",
    ],
  };
}
