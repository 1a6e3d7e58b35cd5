import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { RefusalError, sleep, systemClock } from "../base/index.ts";
import { FakeDisk, type Journal, openJournal, type Position } from "../journal/index.ts";
import {
  openWitness,
  parseVerifierKey,
  type TrustedLog,
  verifierKeyOf,
  verifyProof,
  type Witness,
} from "../log/index.ts";
import { FakeDisk as LogDisk } from "../log/fake-disk.ts";
import { buildStatement, openSigningKeys, parseKeyStatement, type SigningKeys } from "../receipt/index.ts";
import { openSequencing, type Sequencing, type SequencingOptions, type Standing } from "./index.ts";
import { exampleFacts } from "../receipt/testing.ts";

interface Cloud {
  readonly data: string;
  readonly journal: Journal;
  readonly signing: SigningKeys;
  readonly standings: Standing[];
  /** Settles a receipt, and says where it stands once it is durable. */
  settle(): Promise<{ readonly batch: Position; readonly index: number; readonly leaf: Buffer }>;
  open(more?: Partial<SequencingOptions>): Promise<Sequencing>;
}

async function cloudOf(context: TestContext): Promise<Cloud> {
  const data = mkdtempSync(join(tmpdir(), "bailiwick-sequencing-"));
  context.after(() => rmSync(data, { recursive: true, force: true }));
  const signing = openSigningKeys(join(data, "signing-keys"), 0);
  const journal = await openJournal({
    disk: new FakeDisk(),
    clock: systemClock,
    installation: "inst_00000000000000000000000000",
    gateway: "gw_00000000000000000000000000",
    segmentBytes: 64 * 1024,
    seal: (payloads) => signing.seal(payloads),
    followers: ["log"],
  });
  const standings: Standing[] = [];
  let number = 0;
  const options: SequencingOptions = {
    data,
    journal,
    signing,
    clock: systemClock,
    origin: "example.com/log",
    published: [],
    whenDamaged: { public: "serve", personal: "stop" },
    waitingSegmentsMax: 1_000,
    witnesses: [],
    post: () => Promise.reject(new Error("nobody is asked")),
    onStanding: (standing) => standings.push(standing),
  };
  return {
    data,
    journal,
    signing,
    standings,
    async settle() {
      const intent = journal.intend(`req_${String(number++).padStart(26, "0")}`, "{}");
      if (intent.outcome === "refused") throw new RefusalError(intent);
      const { position, durable } = journal.settle(
        intent,
        "{}",
        buildStatement(exampleFacts({ receipt: `rcpt_${number}` })),
      );
      await durable;
      const found = await journal.readSettlement(position);
      assert.ok(found !== undefined);
      const { batch, settlement } = found;
      const leaves = signing.leavesOf(batch);
      const index = settlement.leaf!;
      return { batch: batch.start, index, leaf: leaves.subarray(index * 32, index * 32 + 32) };
    },
    open: async (more = {}) => {
      const sequencing = await openSequencing({ ...options, ...more });
      context.after(() => sequencing.close());
      return sequencing;
    },
  };
}

async function until<Value>(what: string, look: () => Promise<Value | undefined> | Value | undefined): Promise<Value> {
  for (let tries = 0; tries < 6_000; tries++) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(systemClock, 10);
  }
  return assert.fail(`${what} did not come`);
}

async function proofOf(sequencing: Sequencing, place: Awaited<ReturnType<Cloud["settle"]>>): Promise<Buffer> {
  return until("the proof", async () => {
    const proven = await sequencing.prove(place);
    assert.ok(proven.outcome === "proven" || proven.outcome === "pending", JSON.stringify(proven));
    return proven.outcome === "proven" ? proven.proof : undefined;
  });
}

function trusted(sequencing: Sequencing): readonly TrustedLog[] {
  const { origin, keys } = sequencing.status();
  const read = keys.flatMap((text) => {
    const parsed = parseVerifierKey(text);
    return parsed.outcome === "read" ? [parsed.key] : [];
  });
  return [{ origin, keys: read }];
}

const textOf = async (sequencing: Sequencing, path: string): Promise<string | undefined> =>
  (await sequencing.resource(path))?.bytes.toString();

test("what is sealed is in the log, over restarts too, and only what anyone may have is shown", async (context) => {
  const cloud = await cloudOf(context);
  const before = await cloud.settle();
  let sequencing = await cloud.open();
  const places = [before, await cloud.settle(), await cloud.settle()];
  for (const place of places) {
    const proof = await proofOf(sequencing, place);
    const verdict = verifyProof({ proof, entry: place.leaf, logs: trusted(sequencing) });
    assert.equal(verdict.outcome, "valid");
  }
  await sequencing.close();
  sequencing = await cloud.open();
  places.push(await cloud.settle());
  for (const place of places) await proofOf(sequencing, place);
  assert.equal(sequencing.status().size, places.length + 1, "each once, beside one key statement");
  assert.ok((await textOf(sequencing, "checkpoint"))?.startsWith("example.com/log\n5\n"));
  for (const path of ["state", "batches", "begun", "../operator-token", "keys/2", "ended/1/checkpoint", "tile/0/000"]) {
    assert.equal(await sequencing.resource(path), undefined, path);
  }
});

test("segments stay until they are logged", async (context) => {
  const cloud = await cloudOf(context);
  for (let count = 0; count < 60; count++) await cloud.settle();
  assert.ok(cloud.journal.state().segments > 1);
  const sequencing = await cloud.open();
  const last = await cloud.settle();
  await proofOf(sequencing, last);
  await until("the release", () => (cloud.journal.state().segments === 1 ? true : undefined));
});

test("the newest key statement is named once its proof can be had, and not before", async (context) => {
  const cloud = await cloudOf(context);
  const sequencing = await cloud.open();
  await until("the first statement", () => sequencing.provenStatement() ?? undefined);
  await sequencing.rotateSigningKey();
  for (;;) {
    const named = sequencing.provenStatement();
    assert.ok(named !== null && (await sequencing.resource(`keys/${named}.tlog-proof`)) !== undefined, String(named));
    if (named === 2) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
});

test("a change of keys is a statement behind all that the old key has sealed", async (context) => {
  const cloud = await cloudOf(context);
  const sequencing = await cloud.open();
  const old = cloud.signing.activeKeyId;
  const sealedBefore = await cloud.settle();
  assert.equal(await sequencing.revokeSigningKey(old), undefined);
  const sealedAfter = await cloud.settle();
  const indexOf = async (place: Awaited<ReturnType<Cloud["settle"]>>): Promise<number> => {
    const proof = await proofOf(sequencing, place);
    return Number(/^index (\d+)$/m.exec(proof.toString())![1]);
  };
  const index = await until("the statement", () => sequencing.status().statement?.index ?? undefined);
  assert.ok((await indexOf(sealedBefore)) < index);
  assert.ok(index !== (await indexOf(sealedAfter)));
  const statement = parseKeyStatement((await sequencing.resource("keys/2"))!.bytes)!;
  assert.deepEqual(
    statement.receiptKeys.map(({ id, status, revoked }) => [id === old, status, revoked]),
    [
      [false, "active", null],
      [true, "revoked", { log: "example.com/log", index: null }],
    ],
  );
  assert.deepEqual(readdirSync(join(cloud.data, "signing-keys")).length, 1, "what is revoked is destroyed");
  assert.equal((await sequencing.revokeSigningKey("nobody"))?.code, "not_found");
  // The next statement knows where that one stands.
  await sequencing.rotateSigningKey();
  await until("the third statement", () => (sequencing.status().statement?.number === 3 ? true : undefined));
  const third = parseKeyStatement((await sequencing.resource("keys/3"))!.bytes)!;
  assert.deepEqual(third.receiptKeys.at(-1)?.revoked, { log: "example.com/log", index });
});

test("a log does not go on from behind a checkpoint that is known from elsewhere, and says what to do", async (context) => {
  const [cloud, copy] = [await cloudOf(context), await cloudOf(context)];
  let sequencing = await cloud.open();
  await proofOf(sequencing, await cloud.settle());
  const early = Buffer.from((await textOf(sequencing, "checkpoint"))!);
  await sequencing.close();
  rmSync(copy.data, { recursive: true });
  cpSync(cloud.data, copy.data, { recursive: true });
  sequencing = await cloud.open({ published: [early] });
  await proofOf(sequencing, await cloud.settle());
  const late = Buffer.from((await textOf(sequencing, "checkpoint"))!);
  const behind = await cloud.open({ data: copy.data, published: [late] });
  const { state, reason, next } = behind.status();
  assert.equal(state, "damaged");
  assert.match(reason ?? "", /a checkpoint of 3 entries was published; the state has 2/);
  assert.match(next ?? "", /log begin/);
  assert.equal(behind.mayServe("public"), undefined);
  assert.equal(behind.mayServe("personal")?.code, "log_unavailable");
  assert.equal(await behind.begin(), undefined);
  assert.deepEqual([behind.status().state, behind.status().origin], ["open", "example.com/log/2"]);
  assert.deepEqual(behind.status().ended, ["example.com/log"]);
  assert.equal((await behind.begin())?.code, "log_open");
});

test("witnesses are asked in the background: their signatures come with proofs, their silence holds up nothing", async (context) => {
  const cloud = await cloudOf(context);
  const cosigner = { name: "witness.example/w1", privateKey: generateKeyPairSync("ed25519").privateKey };
  const key = verifierKeyOf("cosignature", cosigner);
  let witness: Witness | undefined;
  const silent = { name: "silent", url: "http://silent", key };
  const sequencing = await cloud.open({
    witnesses: [{ name: "auditor", url: "http://auditor", key }, silent],
    post: async (url, body) => {
      if (url !== "http://auditor/add-checkpoint") throw new Error("it does not answer");
      if (witness === undefined) return { status: 500, body: "not yet" };
      return witness.addCheckpoint(body);
    },
  });
  const place = await cloud.settle();
  const plain = await proofOf(sequencing, place);
  assert.doesNotMatch(plain.toString(), /witness\.example/);
  const opened = await openWitness({ disk: new LogDisk(), clock: systemClock, cosigner, logs: trusted(sequencing) });
  assert.ok(opened.outcome === "opened");
  ({ witness } = opened);
  await cloud.settle();
  const cosigned = await until("a cosigned proof", async () => {
    const proof = await proofOf(sequencing, place);
    return proof.includes("witness.example") ? proof : undefined;
  });
  const witnesses = { keys: [key], quorum: 1 };
  assert.equal(
    verifyProof({ proof: cosigned, entry: place.leaf, logs: trusted(sequencing), witnesses }).outcome,
    "valid",
  );
  const [auditor, other] = sequencing.status().witnesses;
  assert.equal(auditor?.problem, null);
  assert.match(other?.problem ?? "", /does not answer/);
});

test("the journal waits for a log that cannot be written up to a bound; beyond it nothing is served until another one is begun", async (context) => {
  const cloud = await cloudOf(context);
  const before = await cloud.open();
  await proofOf(before, await cloud.settle());
  await before.close();
  rmSync(join(cloud.data, "log"), { recursive: true });
  const sequencing = await cloud.open({ waitingSegmentsMax: 1 });
  assert.equal(sequencing.status().state, "missing");
  assert.equal(sequencing.mayServe("public"), undefined);
  while (cloud.journal.durable.segment - cloud.journal.first.segment <= 1) await cloud.settle();
  assert.equal(sequencing.mayServe("public")?.code, "log_unavailable");
  assert.equal(await sequencing.begin(), undefined);
  await proofOf(sequencing, await cloud.settle());
  assert.equal(sequencing.mayServe("public"), undefined);
  assert.equal(sequencing.mayServe("personal"), undefined);
});
