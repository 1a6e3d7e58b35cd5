import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, control, errorIn, makeKey } from "./asking.ts";
import { commandFails, eventually, pause, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { aboutLog, judged, keep, proofOf, receiptIdOf } from "./transparency.ts";

/** What becomes of the transparency log when processes are killed, files are lost and backups come back. */
const folder = temporaryFolder();
const settings =
  "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE}\njournal: {segmentBytes: 65536}\n";
const clouds: RunningCloud[] = [];
after(async () => {
  for (const cloud of clouds) await cloud.kill();
  folder.remove();
});

async function up(data: string): Promise<RunningCloud> {
  const cloud = await startCloud({ data, settings });
  clouds.push(cloud);
  return cloud;
}

async function checkpointOf({ url }: RunningCloud, name: string): Promise<string> {
  const path = join(folder.path, name);
  await eventually("a checkpoint", async () => {
    const got = await fetch(`${url}/log/checkpoint`);
    if (got.status === 200) writeFileSync(path, await got.text());
    return got.status === 200;
  });
  return path;
}

interface LogShown {
  readonly state: string;
  readonly origin: string;
  readonly reason: string | null;
  readonly size: number;
}

const shown = (cloud: RunningCloud): Promise<LogShown> => control<LogShown>(cloud, "GET", "/log");

test("kill -9 under load, again and again: every receipt is provable, and no two checkpoints contradict", async () => {
  const data = join(folder.path, "killed");
  const receipts: { readonly id: string; readonly key: string }[] = [];
  const checkpoints: string[] = [];
  for (let life = 0; life < 4; life++) {
    const cloud = await up(data);
    const keys = await Promise.all(Array.from({ length: 6 }, (_, index) => makeKey(cloud, `life-${life}-${index}`)));
    const over = new AbortController();
    const working = keys.map(async (key) => {
      while (!over.signal.aborted) {
        const seen = await ask({ url: cloud.url, key, content: "[[fake:tokens=3]]" });
        if (seen.whole && seen.status === 200) receipts.push({ id: String(seen.headers["bailiwick-receipt"]), key });
      }
    });
    const before = receipts.length;
    await eventually("some load", () => receipts.length >= before + 30);
    await pause(life * 130);
    checkpoints.push(await checkpointOf(cloud, `checkpoint-${life}`));
    await pause(life * 60);
    await cloud.kill();
    over.abort();
    await Promise.all(working);
  }
  const cloud = await up(data);
  const { keys } = await aboutLog(cloud);
  assert.ok(receipts.length >= 120, `${receipts.length} receipts`);
  for (const { id, key } of receipts) await proofOf(cloud, key, id);
  for (const { id, key } of [receipts[0]!, receipts.at(-1)!, receipts[receipts.length >> 1]!]) {
    const kept = await keep(cloud, key, id, folder.path);
    const verdict = await judged(
      "receipt",
      "verify",
      kept.receipt,
      "--proof",
      kept.proof,
      "--key",
      kept.keyStatement,
      "--log-key",
      ...keys,
    );
    assert.equal(verdict.code, 0, verdict.reason);
  }
  const last = await checkpointOf(cloud, "checkpoint-last");
  for (const earlier of checkpoints) {
    const verdict = await judged(
      "log",
      "verify",
      "--from",
      earlier,
      "--to",
      last,
      "--log",
      `${cloud.url}/log`,
      "--key",
      ...keys,
    );
    assert.equal(verdict.code, 0, verdict.reason);
  }
  // What is shipped and logged goes: the log holds back no segment that it has.
  await cloud.command("usage");
  const oldest = (): string =>
    readdirSync(join(data, "journal"))
      .filter((name) => name.endsWith(".journal"))
      .toSorted()[0]!;
  await makeKey(cloud, "afterwards").then((key) => receiptIdOf(cloud, key));
  await eventually("the first segment to go", () => oldest() > "0000000001");
  assert.equal(await cloud.stop(), 0);
});

test("a lost or damaged log: public data goes on, personal data does not, status says why, another log is begun", async () => {
  const data = join(folder.path, "lost");
  let cloud = await up(data);
  const key = await makeKey(cloud, "public");
  const before = await receiptIdOf(cloud, key);
  await proofOf(cloud, key, before);
  const checkpoint = await checkpointOf(cloud, "checkpoint-lost");
  const { origin } = await shown(cloud);
  assert.equal(await cloud.stop(), 0);
  const tiles = join(data, "log", "1", "tile", "0", "000.p");
  let whole = { path: "", bytes: Buffer.alloc(0) };
  const damageTile = (): void => {
    const path = join(tiles, readdirSync(tiles).toSorted((a, b) => Number(b) - Number(a))[0]!);
    whole = { path, bytes: readFileSync(path) };
    writeFileSync(path, Buffer.alloc(whole.bytes.length));
  };
  for (const [damage, mend, reason] of [
    [
      () => renameSync(join(data, "log"), join(data, "elsewhere")),
      () => renameSync(join(data, "elsewhere"), join(data, "log")),
      /folder .*log is not there/,
    ],
    [
      damageTile,
      () => writeFileSync(whole.path, whole.bytes),
      /is damaged: the last entries are not those of the last leaves/,
    ],
    [
      () => renameSync(join(data, "log", "1", "state"), join(data, "state")),
      () => renameSync(join(data, "state"), join(data, "log", "1", "state")),
      /is damaged: the state is missing/,
    ],
  ] as const) {
    damage();
    cloud = await up(data);
    await control(cloud, "PATCH", "/projects/default", { dataClass: "public" });
    const served = await ask({ url: cloud.url, key });
    assert.equal(served.status, 200, served.text);
    await control(cloud, "PATCH", "/projects/default", { dataClass: "personal" });
    const refused = await ask({ url: cloud.url, key });
    assert.equal(refused.status, 503, `${reason}: ${refused.text} ${JSON.stringify(await shown(cloud))}`);
    assert.equal(errorIn(refused).code, "log_unavailable");
    const { log } = await control<{ log: LogShown }>(cloud, "GET", "/status");
    assert.notEqual(log.state, "open");
    assert.match(log.reason ?? "", reason);
    assert.match(cloud.output(), /the transparency log cannot go on/);
    const waiting = String(served.headers["bailiwick-receipt"]);
    const proof = await fetch(`${cloud.url}/v1/receipts/${waiting}/proof`, {
      headers: { authorization: `Bearer ${key}` },
    });
    assert.equal(proof.status, 503);
    assert.equal(await cloud.stop(), 0);
    mend();
    // What was served meanwhile waited in the journal.
    cloud = await up(data);
    await proofOf(cloud, key, waiting);
    assert.equal(await cloud.stop(), 0);
  }
  rmSync(join(data, "log", "1", "state"));
  cloud = await up(data);
  const begun = await cloud.command<LogShown>("log", "begin");
  assert.deepEqual([begun.state, begun.origin], ["open", `${origin}/2`]);
  await control(cloud, "PATCH", "/projects/default", { dataClass: "personal" });
  await proofOf(cloud, key, await receiptIdOf(cloud, key));
  const again = await commandFails(["log", "begin", "--data", data]);
  assert.match(again.stderr, /\(log_open\)/);
  assert.ok(existsSync(checkpoint));
  assert.equal(await cloud.stop(), 0);
});

test("a restored backup begins another log, and the proofs of the one before are still there", async () => {
  const data = join(folder.path, "first");
  const first = await up(data);
  const key = await makeKey(first, "tenant");
  const id = await receiptIdOf(first, key);
  await proofOf(first, key, id);
  const old = await aboutLog(first);
  const backup = join(folder.path, "backup");
  await first.command("backup", backup);
  const lost = await receiptIdOf(first, key);
  await proofOf(first, key, lost);
  const ahead = await checkpointOf(first, "checkpoint-ahead");
  assert.equal(await first.stop(), 0);
  const restored = await commandFails(["restore", backup, "--data", join(folder.path, "second")]);
  assert.equal(restored.code, 0, restored.stderr);
  const second = await up(join(folder.path, "second"));
  const log = await aboutLog(second);
  assert.equal(log.origin, `${old.origin}/2`);
  assert.deepEqual(log.ended, [old.origin]);
  const kept = await keep(second, key, id, folder.path);
  const verdict = await judged(
    "receipt",
    "verify",
    kept.receipt,
    "--proof",
    kept.proof,
    "--key",
    kept.keys,
    "--log-key",
    ...old.keys,
    ...log.keys,
  );
  assert.equal(verdict.code, 0, verdict.reason);
  const next = await keep(second, key, await receiptIdOf(second, key), folder.path);
  const newer = await judged(
    "receipt",
    "verify",
    next.receipt,
    "--proof",
    next.proof,
    "--key",
    next.keyStatement,
    "--log-key",
    ...log.keys,
  );
  assert.equal(newer.code, 0, newer.reason);
  // The old log's name never shows anything that contradicts what it had shown.
  const ended = join(folder.path, "ended");
  writeFileSync(ended, await (await fetch(`${second.url}/log/ended/1/checkpoint`)).text());
  const consistent = await judged(
    "log",
    "verify",
    "--from",
    ended,
    "--to",
    ahead,
    "--log",
    join(data, "log", "1"),
    "--key",
    ...old.keys,
  );
  assert.equal(consistent.code, 0, consistent.reason);
  assert.equal(await second.stop(), 0);
});
