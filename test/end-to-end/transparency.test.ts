import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createPrivateKey } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { systemClock } from "../../src/base/index.ts";
import { trustIn } from "../../src/fetch/trust.ts";
import { folderDisk, formatProof, openSequencer, parseProof, proveInclusion } from "../../src/log/index.ts";
import { openSigningKeys, receiptFile } from "../../src/receipt/index.ts";
import { copyLogs } from "../../src/sequencing/index.ts";
import { verify } from "../../src/verification/index.ts";
import { makeKey } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import {
  aboutLog,
  type AboutLog,
  judged,
  keep,
  type Kept,
  proofOf,
  receiptIdOf,
  type RunningWitness,
  startWitness,
} from "./transparency.ts";

/** Receipts of a real cloud, with a real witness, through the real command line: what verifies, and every forgery. */
const folder = temporaryFolder();
const data = join(folder.path, "data");
const plain = "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE, operator: Example Cloud GmbH}\n";
let cloud: RunningCloud;
let witness: RunningWitness;
let log: AboutLog;
let key: string;
let first: Kept;
let firstCheckpoint: string;

before(async () => {
  cloud = await startCloud({ data, settings: plain });
  log = await aboutLog(cloud);
  assert.equal(await cloud.stop(), 0);
  witness = await startWitness(join(folder.path, "witness"), log.keys);
  const asked = `log: {witnesses: [{name: auditor, url: "${witness.url}", key: "${witness.key}"}]}\n`;
  cloud = await startCloud({ data, settings: `${plain}${asked}` });
  key = await makeKey(cloud, "tenant");
  const id = await receiptIdOf(cloud, key);
  await eventually("a cosigned proof", async () => (await proofOf(cloud, key, id)).proof.includes(nameOf(witness.key)));
  first = await keep(cloud, key, id, folder.path);
  firstCheckpoint = await saved("first-checkpoint", await (await fetch(`${cloud.url}/log/checkpoint`)).text());
});
after(async () => {
  await cloud?.kill();
  await witness?.stop();
  folder.remove();
});

const nameOf = (verifierKey: string): string => verifierKey.split("+", 1)[0]!;

async function saved(name: string, text: string | Buffer): Promise<string> {
  const path = join(folder.path, name);
  writeFileSync(path, text);
  return Promise.resolve(path);
}

/** The arguments that demand everything of a receipt. */
function strictly(kept: Kept, ...more: readonly string[]): readonly string[] {
  const logs = log.keys.flatMap((each) => ["--log-key", each]);
  const cosigned = ["--witness", witness.key, "--quorum", "1"];
  return [
    "receipt",
    "verify",
    kept.receipt,
    "--key",
    kept.keyStatement,
    "--proof",
    kept.proof,
    ...logs,
    ...cosigned,
    ...more,
  ];
}

/** How late the last proof of many answers at once comes. */
async function worstMs(keys: readonly string[]): Promise<number> {
  const timesMs: number[] = [];
  const asking = keys.map(async (each) => {
    for (let turn = 0; turn < 6; turn++) {
      const { afterMs } = await proofOf(cloud, each, await receiptIdOf(cloud, each));
      timesMs.push(afterMs);
    }
  });
  await Promise.all(asking);
  return Math.max(...timesMs);
}

test("a receipt is in the log within a second of its answer, also under load", async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, (_, index) => makeKey(cloud, `load-${index}`)));
  // A machine that stands still for a moment takes longer, and not five times in a row: a log that is late does.
  const worst: number[] = [];
  do worst.push(await worstMs(keys));
  while (worst.length < 5 && worst.at(-1)! >= 1_000);
  assert.ok(worst.at(-1)! < 1_000, `${worst.join(", ")} ms`);
});

test("receipt, proof, keys, witness, sites and pinned checkpoint verify together, and say as of when", async () => {
  const sites = await saved("sites.json", '{"here":"DE"}');
  const verdict = await judged(
    ...strictly(first, "--sites", sites, "--checkpoint", firstCheckpoint, "--log", `${cloud.url}/log`),
  );
  assert.equal(verdict.code, 0, verdict.reason);
  const { asOf } = verdict as unknown as {
    asOf: { log: string; size: number; cosignedAt: string; witnesses: string[] };
  };
  assert.equal(asOf.log, log.origin);
  assert.deepEqual(asOf.witnesses, [nameOf(witness.key)]);
  assert.ok(Math.abs(Date.parse(asOf.cosignedAt) - Date.now()) < 600_000);
  assert.deepEqual(verdict["checked"], [
    "key statement",
    "format",
    "signature",
    "statement",
    "sites",
    "proof",
    "witnesses",
    "pinned checkpoint",
    "key status",
  ]);
});

test("a pinned checkpoint without --proof is held against the proof that was saved beside the receipt", async () => {
  const parsed = parseProof(readFileSync(first.proof));
  assert.ok(parsed.outcome === "read");
  const checkpoint = await saved("of-its-proof", parsed.proof.checkpoint);
  const asked = ["receipt", "verify", first.receipt, "--key", first.keyStatement];
  const keys = log.keys.flatMap((each) => ["--log-key", each]);
  const verdict = await judged(...asked, ...keys, "--checkpoint", checkpoint);
  assert.equal(verdict.code, 0, verdict.reason);
  assert.ok((verdict["checked"] as string[]).includes("pinned checkpoint"));
  const garbage = await judged(...asked, ...keys, "--checkpoint", first.receipt);
  assert.equal(garbage.code, 2);
  assert.match(garbage.reason, /pinned checkpoint does not count/);
});

/** So many bytes apart, the command line is asked too: it tells what the verifier has found. */
const askedEvery = 15;

test("a flipped byte anywhere in the receipt or in the proof", async () => {
  const { logs, witnesses } = trustIn(log.keys, { keys: [witness.key] });
  const whole = { receipt: readFileSync(first.receipt), proof: readFileSync(first.proof) };
  const given = { ...whole, keys: readFileSync(first.keyStatement), logs, witnesses: witnesses! };
  assert.equal((await verify(given)).outcome, "valid");
  for (const part of ["receipt", "proof"] as const) {
    for (let at = 0; at < whole[part].length; at++) {
      const flipped = Buffer.from(whole[part]);
      flipped[at]! ^= 1 << (at % 8);
      const { outcome, reason } = await verify({ ...given, [part]: flipped });
      assert.equal(outcome, "invalid", `byte ${at} of the ${part}: ${reason}`);
      if (at % askedEvery !== 0) continue;
      const told = await judged(...strictly({ ...first, [part]: await saved("flipped", flipped) }));
      assert.deepEqual([told.code, told.reason], [1, reason], `byte ${at} of the ${part}`);
    }
  }
});

test("a swapped receipt, and the proof of another one", async () => {
  const other = await keep(cloud, key, await receiptIdOf(cloud, key, "Something else."), folder.path);
  assert.equal(
    (await judged(...strictly(other).filter((each) => !["--quorum", "1", "--witness", witness.key].includes(each))))
      .code,
    0,
  );
  for (const swapped of [
    { ...first, receipt: other.receipt },
    { ...first, proof: other.proof },
  ]) {
    const { code, reason } = await judged(
      "receipt",
      "verify",
      swapped.receipt,
      "--key",
      swapped.keys,
      "--proof",
      swapped.proof,
      "--log-key",
      ...log.keys,
    );
    assert.deepEqual([code, reason], [1, "its path does not lead from the entry to the checkpoint's root"]);
  }
});

test("another tenant, another jurisdiction, an unknown site", async () => {
  const elsewhere = await saved("elsewhere.json", '{"here":"FR"}');
  const unknown = await saved("unknown.json", '{"there":"DE"}');
  for (const [more, reason] of [
    [["--tenant", "prj_01KA0000000000000000000000"], /for another tenant/],
    [["--sites", elsewhere], /the site "here" lies in DE, and it lies in FR/],
    [["--sites", unknown], /"here" is not among the given ones/],
  ] as const) {
    const verdict = await judged(...strictly(first, ...more));
    assert.equal(verdict.code, 1);
    assert.match(verdict.reason, reason);
  }
});

test("a checkpoint that is older than the pinned one; a newer one that nobody shows to continue it", async () => {
  await proofOf(cloud, key, await receiptIdOf(cloud, key));
  const newest = await saved("newest-checkpoint", await (await fetch(`${cloud.url}/log/checkpoint`)).text());
  const older = await judged(...strictly(first, "--checkpoint", newest));
  assert.equal(older.code, 1);
  assert.match(older.reason, /older than the pinned one/);
  const later = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  const pinned = [
    "receipt",
    "verify",
    later.receipt,
    "--key",
    later.keys,
    "--proof",
    later.proof,
    "--log-key",
    ...log.keys,
    "--checkpoint",
    firstCheckpoint,
  ];
  const alone = await judged(...pinned);
  assert.equal(alone.code, 2, alone.reason);
  assert.match(alone.reason, /--log/);
  assert.equal((await judged(...pinned, "--log", `${cloud.url}/log`)).code, 0);
  const grown = await judged(
    "log",
    "verify",
    "--from",
    firstCheckpoint,
    "--to",
    newest,
    "--log",
    join(data, "log", "1"),
    "--key",
    ...log.keys,
  );
  assert.deepEqual([grown.code, grown["outcome"]], [0, "consistent"]);
  const backwards = await judged(
    "log",
    "verify",
    "--from",
    newest,
    "--to",
    firstCheckpoint,
    "--log",
    `${cloud.url}/log`,
    "--key",
    ...log.keys,
  );
  assert.deepEqual([backwards.code, backwards["outcome"]], [1, "older"]);
});

test("a forked log: another tree, signed by the same key", async () => {
  const opened = await openSequencer({
    disk: await folderDisk(join(folder.path, "fork")),
    clock: systemClock,
    origin: log.origin,
    keys: [{ privateKey: logKey() }],
  });
  assert.ok(opened.outcome === "opened");
  const size = Number(readFileSync(firstCheckpoint, "utf8").split("\n")[1]);
  await opened.log.append([{ entries: Buffer.alloc(size * 32, 7) }], null);
  const forked = await saved("forked-checkpoint", opened.log.checkpoint!);
  const sizes = [
    "log",
    "verify",
    "--from",
    firstCheckpoint,
    "--to",
    forked,
    "--log",
    join(folder.path, "fork"),
    "--key",
    ...log.keys,
  ];
  const verdict = await judged(...sizes);
  assert.deepEqual([verdict.code, verdict["outcome"]], [1, "forked"]);
  const pinned = await judged(...strictly(first, "--checkpoint", forked, "--log", `${cloud.url}/log`));
  assert.equal(pinned.code, 1);
  assert.match(pinned.reason, /forked/);
});

test("an unknown key of the log, of receipts, and too few witnesses", async () => {
  const stranger = "log.example/other+e5f1f95d+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
  const strange = await judged(
    "receipt",
    "verify",
    first.receipt,
    "--key",
    first.keys,
    "--proof",
    first.proof,
    "--log-key",
    stranger,
  );
  assert.equal(strange.code, 2, strange.reason);
  const keys = await saved(
    "other-keys.json",
    '{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}',
  );
  const unknown = await judged(
    "receipt",
    "verify",
    first.receipt,
    "--key",
    keys,
    "--proof",
    first.proof,
    "--log-key",
    ...log.keys,
  );
  assert.deepEqual([unknown.code, unknown.reason], [1, "it is signed by a key that is not in the set"]);
  const other = "witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM";
  const alone = await judged(...strictly(first).map((each) => (each === "1" ? "2" : each)), "--witness", other);
  assert.equal(alone.code, 1, alone.reason);
  assert.match(alone.reason, /1 of the 2 witnesses/);
});

test("a revoked key: what it sealed before holds by its proof, what it seals afterwards does not", async () => {
  type Keys = readonly { readonly id: string; readonly status: string }[];
  const rotated = await cloud.command<Keys>("signing-key", "rotate");
  assert.deepEqual(
    rotated.map(({ status }) => status),
    ["active", "retired"],
  );
  const stolen = rotated[0]!.id;
  // Whoever steals a key copies it before it is destroyed.
  const [pem] = readdirSync(join(data, "signing-keys")).toSorted().toReversed();
  mkdirSync(join(folder.path, "stolen"));
  copyFileSync(join(data, "signing-keys", pem!), join(folder.path, "stolen", pem!));
  const before = await receiptIdOf(cloud, key);
  const revoked = await cloud.command<Keys>("signing-key", "revoke", stolen);
  assert.deepEqual(revoked.map(({ status }) => status).toSorted(), ["active", "retired", "revoked"]);
  assert.equal(revoked.find(({ id }) => id === stolen)?.status, "revoked");
  await eventually("the statement in the log", async () => {
    const shown = await cloud.command<{ statement: { index: number | null } }>("log", "show");
    return shown.statement.index !== null;
  });
  const kept = await keep(cloud, key, before, folder.path);
  const verify = (...more: readonly string[]) =>
    judged("receipt", "verify", kept.receipt, "--log-key", ...log.keys, ...more);
  assert.equal((await verify("--key", kept.keyStatement, "--proof", kept.proof)).code, 0);
  const unproven = await verify("--key", kept.keyStatement);
  assert.match(unproven.reason, /its key was revoked, and no proof shows/);
  assert.equal((await verify("--key", kept.keys)).code, 1, "it is in the key set no more");
  const forged = await forge(kept);
  const sealedLater = await judged(
    "receipt",
    "verify",
    forged.receipt,
    "--proof",
    forged.proof,
    "--key",
    kept.keyStatement,
    "--log-key",
    ...log.keys,
  );
  assert.equal(sealedLater.code, 1);
  assert.match(sealedLater.reason, /its key was revoked at entry \d+ of .*, and it is not in that log before it/);
  // The statement before the revocation knows nothing of it, and what was retired before holds.
  assert.equal((await judged(...strictly(first))).code, 0);
  const after = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  assert.equal(
    (
      await judged(
        "receipt",
        "verify",
        after.receipt,
        "--key",
        after.keyStatement,
        "--proof",
        after.proof,
        "--log-key",
        ...log.keys,
      )
    ).code,
    0,
  );
});

/** A receipt that the stolen key seals now, even in the very log: as whoever has taken over the whole gateway could. */
async function forge(kept: Kept): Promise<Pick<Kept, "receipt" | "proof">> {
  const copy = join(folder.path, "taken-over");
  await copyLogs(data, copy);
  const payload = JSON.parse(readFileSync(kept.receipt, "utf8")) as { readonly payload: string };
  const statement = Buffer.from(payload.payload, "base64")
    .toString()
    .replace(/"startedAt":"\d/, '"startedAt":"3');
  const signing = openSigningKeys(join(folder.path, "stolen"), 0);
  const seal = signing.seal([statement]);
  const hashes = signing.leavesOf({ leaves: [statement], seal });
  const opened = await openSequencer({
    disk: await folderDisk(join(copy, "log", "1")),
    clock: systemClock,
    origin: log.origin,
    keys: [{ privateKey: logKey() }],
  });
  assert.ok(opened.outcome === "opened");
  const sequencer = opened.log;
  const appended = await sequencer.append([{ entries: hashes }], sequencer.cursor);
  assert.ok(appended.outcome === "appended");
  const proven = await proveInclusion(sequencer.readTile, hashes, appended.first, sequencer);
  assert.ok(proven.outcome === "proven");
  const proof = { index: appended.first, path: proven.path, checkpoint: Buffer.from(sequencer.checkpoint!) };
  return {
    receipt: await saved("forged.json", receiptFile({ payload: statement, index: 0, hashes, seal })),
    proof: await saved("forged.tlog-proof", formatProof(proof)),
  };
}

function logKey() {
  const [pem] = readdirSync(join(data, "log-keys"));
  return createPrivateKey(readFileSync(join(data, "log-keys", pem!)));
}

test("the log's key is replaced: both sign for a while, and whoever knows either goes on", async () => {
  const rotated = await cloud.command<{ keys: string[]; statement: { number: number } }>(
    "log",
    "rotate-key",
    "--overlap-hours",
    "1",
  );
  assert.equal(rotated.keys.length, 2);
  assert.deepEqual(rotated.keys[1], log.keys[0]);
  const kept = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  for (const each of rotated.keys) {
    const verdict = await judged(
      "receipt",
      "verify",
      kept.receipt,
      "--key",
      kept.keys,
      "--proof",
      kept.proof,
      "--log-key",
      each,
    );
    assert.equal(verdict.code, 0, verdict.reason);
  }
  const gone = await cloud.command<{ keys: string[] }>("log", "rotate-key", "--overlap-hours", "0");
  assert.ok(!gone.keys.includes(rotated.keys[0]!));
  const last = await keep(cloud, key, await receiptIdOf(cloud, key), folder.path);
  const verdict = await judged(
    "receipt",
    "verify",
    last.receipt,
    "--key",
    last.keys,
    "--proof",
    last.proof,
    "--log-key",
    gone.keys[0]!,
  );
  assert.equal(verdict.code, 0, verdict.reason);
});
