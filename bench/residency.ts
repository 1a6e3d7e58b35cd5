/**
 * What residency and proof cost on the hot path: all of it in a gateway, on and off in the same run; and each part alone,
 * the decision where a request may run, and its receipt from the bytes' digests to the entry in the log, around the same
 * empty loop in alternating rounds of one process. Beside it, how fast the log takes entries, how fast receipts and proofs
 * are verified, and, from the log's own bench, a log of ten million.
 */
import { createSecretKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSalts, systemClock } from "../src/base/index.ts";
import {
  type Disk,
  formatProof,
  openSequencer,
  proveInclusion,
  type Sequencer,
  verifierKeyOf,
} from "../src/log/index.ts";
import { createPolicy } from "../src/policy/index.ts";
import { buildStatement, ByteDigest, openSigningKeys, receiptFile, type SigningKeys } from "../src/receipt/index.ts";
import { exampleFacts } from "../src/receipt/testing.ts";
import { verify } from "../src/verification/index.ts";
import { logBench } from "./log.ts";
import { meaningParts, streamEvents } from "./meanings.ts";
import { atLeast, atMost, type Bench, type BenchOptions, type Outcome, rounded } from "./report.ts";
import { type GatewaysPlan, measureOnAndOff, type OnAndOff } from "./residency-gateways.ts";
import { distribution } from "./statistics.ts";

export const residencyBench: Bench = { name: "residency", run };

/** As many receipts as a busy gateway seals in one group commit, and as many batches as one append of its log takes. */
const batchReceipts = 64;
const appendBatches = 60;
const requestBytes = 728;
const responseBytes = 900;

interface Part {
  readonly name: string;
  /** Does it for so many receipts. */
  readonly work: (receipts: number) => Promise<void> | void;
}

const gatewaysPlan: GatewaysPlan = { rounds: 12, warmUpMs: 8_000, durationMs: 2_000 };
const quickGatewaysPlan: GatewaysPlan = { rounds: 4, warmUpMs: 3_000, durationMs: 1_000 };

async function run(options: BenchOptions): Promise<Outcome> {
  const { quick, progress } = options;
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  try {
    const signing = openSigningKeys(join(folder, "keys"), 0);
    const parts = await partsOf(signing);
    const rounds = quick ? 3 : 15;
    const receipts = batchReceipts * appendBatches * (quick ? 2 : 10);
    const costs = new Map(parts.map(({ name }) => [name, [] as number[]]));
    for (const part of parts) await part.work(receipts);
    for (let round = 0; round < rounds; round++) {
      for (const part of parts) costs.get(part.name)!.push(await microsecondsEach(part, receipts));
      progress(`round ${round + 1}/${rounds}`);
    }
    const medians = new Map([...costs].map(([name, values]) => [name, distribution(values).p50]));
    const verified = await verifyRates(signing, quick ? 300 : 3_000);
    const gateways = await measureOnAndOff(quick ? quickGatewaysPlan : gatewaysPlan, folder, progress);
    const log = await logBench.run(options);
    return withLog(withGateways(summarize(medians, verified), gateways), log);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Processor time of this process, which the machine's other work leaves alone. */
async function microsecondsEach({ work }: Part, receipts: number): Promise<number> {
  const before = process.cpuUsage();
  await work(receipts);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / receipts;
}

async function partsOf(signing: SigningKeys): Promise<readonly Part[]> {
  const policy = createPolicy();
  const project = { id: "prj_1", dataClass: "personal", processing: ["EU"] } as const;
  const candidates = ["DE", "FR", "US"].map((jurisdiction) => ({
    kind: "host" as const,
    name: `host_${jurisdiction}`,
    site: { name: jurisdiction.toLowerCase(), jurisdiction },
  }));
  const digestKey = { id: "dgk_1", secret: createSecretKey(randomBytes(32)) };
  const [request, response] = [randomBytes(requestBytes), randomBytes(responseBytes)];
  const newSalt = createSalts();
  // What is the same for all requests of a place is handed on as it is, as the stages do it.
  const facts = exampleFacts();
  const statement = buildStatement(facts);
  const batch = Array.from({ length: batchReceipts }, (_, index) => statement.replace("rcpt_1", `rcpt_${index}`));
  const log = await memoryLog();
  let offset = 0;
  return [
    { name: "nothing", work: (count) => times(count, () => statement.length) },
    {
      name: "decision",
      work: (count) => times(count, () => policy.decide({ action: "infer", project, model: "m" }, candidates)),
    },
    {
      name: "digests",
      work: (count) =>
        times(count, () => {
          for (const bytes of [request, response]) {
            const digest = new ByteDigest(digestKey);
            digest.update(bytes);
            digest.value();
          }
        }),
    },
    {
      name: "statement and salt",
      work: (count) => times(count, () => buildStatement({ ...facts, salt: newSalt() })),
    },
    { name: "seal", work: (count) => times(count / batchReceipts, () => signing.seal(batch)) },
    {
      name: "log append",
      async work(count) {
        const entries = randomBytes(batchReceipts * 32);
        for (let left = count; left > 0; left -= batchReceipts * appendBatches) {
          const batches = Array.from({ length: appendBatches }, () => ({ segment: 1, offset: offset++, entries }));
          await log.append(batches, null);
        }
      },
    },
    ...meaningParts.map(({ name, work }) => ({ name, work: (count: number) => times(count, work) })),
  ];
}

function times(count: number, work: () => unknown): void {
  for (let index = 0; index < count; index++) work();
}

const logKey = { name: "bench.example/log", privateKey: generateKeyPairSync("ed25519").privateKey };

async function memoryLog(disk: Disk = nowhere()): Promise<Sequencer> {
  const opened = await openSequencer({ disk, clock: systemClock, origin: logKey.name, keys: [logKey] });
  if (opened.outcome !== "opened") throw new Error(opened.reason);
  return opened.log;
}

/** A disk in memory: what is left of an append is the work of the processor. */
function nowhere(): Disk {
  const files = new Map<string, Buffer>();
  return {
    read: (path) => Promise.resolve(files.get(path)),
    readPart: (path, offset, length) =>
      Promise.resolve((files.get(path) ?? Buffer.alloc(0)).subarray(offset, offset + length)),
    sizeOf: (path) => Promise.resolve(files.get(path)?.length),
    exists: (path) => Promise.resolve(files.has(path)),
    makeFolder: () => Promise.resolve(),
    write: (path, bytes) => Promise.resolve(void files.set(path, bytes)),
    writeEnd: () => Promise.resolve(),
    rename: (from, to) => Promise.resolve(void files.set(to, files.get(from)!)),
    removeFolder: () => Promise.resolve(),
    syncFolder: () => Promise.resolve(),
  };
}

interface VerifyRates {
  readonly receiptsPerSecond: number;
  readonly withProofPerSecond: number;
}

async function verifyRates(signing: SigningKeys, count: number): Promise<VerifyRates> {
  const payloads = Array.from({ length: batchReceipts }, (_, index) =>
    buildStatement(exampleFacts({ receipt: `rcpt_${index}` })),
  );
  const seal = signing.seal(payloads);
  const hashes = signing.leavesOf({ leaves: payloads, seal });
  const log = await memoryLog();
  await log.append([{ entries: randomBytes(4_000 * 32) }, { entries: hashes }], null);
  const keys = Buffer.from(signing.jwks());
  const logs = [{ origin: logKey.name, keys: [verifierKeyOf("ed25519", logKey)] }];
  const receipt = Buffer.from(receiptFile({ payload: payloads[7]!, index: 7, hashes, seal }));
  const proven = await proveInclusion(log.readTile, hashes.subarray(7 * 32, 8 * 32), 4_007, log);
  if (proven.outcome !== "proven") throw new Error(proven.reason);
  const proof = formatProof({ index: 4_007, path: proven.path, checkpoint: Buffer.from(log.checkpoint!) });
  const rate = async (given: { readonly proof?: Buffer }): Promise<number> => {
    const startMs = performance.now();
    for (let turn = 0; turn < count; turn++) {
      const verdict = await verify({ receipt, keys, logs, ...given });
      if (verdict.outcome !== "valid") throw new Error(verdict.reason);
    }
    return (count / (performance.now() - startMs)) * 1_000;
  };
  await rate({ proof });
  return { receiptsPerSecond: await rate({}), withProofPerSecond: await rate({ proof }) };
}

function summarize(medians: ReadonlyMap<string, number>, verified: VerifyRates): Outcome {
  const idle = medians.get("nothing") ?? 0;
  const net = (names: readonly string[]) =>
    names.map((name) => [name, (medians.get(name) ?? Number.NaN) - idle] as const);
  const meaningNames: readonly string[] = meaningParts.map(({ name }) => name);
  const costs = net([...medians.keys()].filter((name) => name !== "nothing" && !meaningNames.includes(name)));
  const meanings = net(meaningNames);
  const perEvent = (meanings[3]![1] - meanings[2]![1]) / streamEvents;
  const receipt = costs
    .filter(([name]) => name !== "decision" && name !== "digests")
    .reduce((sum, [, cost]) => sum + cost, 0);
  const whole = costs.reduce((sum, [, cost]) => sum + cost, 0);
  const perSecond = 1_000_000 / (medians.get("log append") ?? Number.NaN);
  const named = Object.fromEntries(costs);
  return {
    results: {
      microseconds: named,
      meaningMicroseconds: Object.fromEntries(meanings),
      meaningMicrosecondsPerEvent: perEvent,
      receiptMicroseconds: receipt,
      wholeMicroseconds: whole,
      logAppendPerSecond: perSecond,
      ...verified,
      batchReceipts,
    },
    aims: [
      atMost("microseconds a receipt: statement, salt, seal, log", receipt, 10),
      atLeast("receipts verified a second", verified.receiptsPerSecond, 1_000),
      atLeast("entries appended a second, without a disk", perSecond, 200_000),
    ],
    table: {
      columns: ["what", "us of processor time each"],
      rows: [
        ...costs.map(([name, cost]) => [name, String(rounded(cost))]),
        ["a receipt: statement, salt, seal, log", String(rounded(receipt))],
        ["all of it", String(rounded(whole))],
        ...meanings.map(([name, cost]) => [name, String(rounded(cost))]),
        ["meaning, for each event of a stream", String(rounded(perEvent))],
        ["receipts verified a second", String(Math.round(verified.receiptsPerSecond))],
        ["receipts with proofs verified a second", String(Math.round(verified.withProofPerSecond))],
      ],
    },
    notes: [
      `A batch has ${batchReceipts} receipts, and its one signature is spread over them; a decision is one of a policy that has met its question before.`,
    ],
  };
}

const shareMost = 1.15;

/** The gateway's own lines before those of the parts. */
function withGateways({ results, aims, table, notes }: Outcome, { costs, medians }: OnAndOff): Outcome {
  const { request, stream } = medians;
  const row = (what: string, { onMicroseconds, offMicroseconds, ratio }: typeof request) => [
    `gateway, ${what}: on / off = ${rounded(ratio)}`,
    `${Math.round(onMicroseconds)} / ${Math.round(offMicroseconds)}`,
  ];
  return {
    results: { ...results, gateways: { medians, costs } },
    aims: [
      atMost("gateway's CPU per request, on / off", request.ratio, shareMost),
      atMost("gateway's CPU per stream of 100 tokens, on / off", stream.ratio, shareMost),
      ...aims,
    ],
    table: { ...table, rows: [row("a request", request), row("a stream of 100 tokens", stream), ...table.rows] },
    notes: [
      ...notes,
      "On: personal data under a regime, by facts, with receipts, meanings and the log. Off: the same program without decisions, digests, meanings, statements, seals and entries; the journal, keys, budgets and usage stay.",
    ],
  };
}

/** What the log's own bench says, behind it. */
function withLog({ results, aims, table, notes }: Outcome, log: Outcome): Outcome {
  return {
    results: { ...results, log: log.results },
    aims: [...aims, ...log.aims.map((aim) => ({ ...aim, name: `log: ${aim.name}` }))],
    table: {
      ...table,
      rows: [...table.rows, ...log.table.rows.map(([what = "", ...rest]) => [`log: ${what}`, ...rest])],
    },
    notes: [...notes, ...log.notes],
  };
}
