import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../base/index.ts";
import {
  addCheckpointBytesMax,
  folderDisk,
  formatVerifierKey,
  openSequencer,
  openWitness,
  verifierKeyOf,
} from "../log/index.ts";
import { showLog } from "./log.ts";
import { Printer } from "./printer.ts";
import { run as runLine, temporaryFolder, withCloud } from "./testing.ts";
import { listenAsWitness } from "./witness-server.ts";

test("log show, rotate-key and begin, and the signing keys, for people and as JSON", async (context) => {
  const { run } = await withCloud(context);
  const shown = await run("log show");
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^name +log\.example\nstate +open\nentries +7\nkey +log\.example\+/);
  assert.match(shown.stdout, /key statement +1, entry 0\nwitness +auditor has cosigned 7 entries\n/);
  const rotated = JSON.parse((await run("log rotate-key --overlap-hours 2 --json")).stdout) as { keys: string[] };
  assert.equal(rotated.keys.length, 2);
  const begun = await run("log begin");
  assert.deepEqual([begun.code, begun.stdout], [2, ""]);
  assert.match(begun.stderr, /\(log_open\)/);
  assert.match((await run("signing-key rotate")).stdout, /^KEY +STATUS +SINCE\nkey-2 +active .*\nkey-1 +retired /);
  const revoked = await run("signing-key revoke key-1 --json");
  assert.equal((JSON.parse(revoked.stdout) as { status: string }[])[1]?.status, "revoked");
  assert.match((await run("signing-key revoke nobody")).stderr, /\(not_found\)/);
  assert.match((await run("status")).stdout, /^log +open, 7 entries$/m);
});

test("log show says of a log that cannot be read that nobody knows what it holds", () => {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) > 0 };
  const surroundings = { argv: [], stdout: output, stderr: output, environment: {} };
  const status = {
    state: "damaged" as const,
    reason: "A tile is not what it was.",
    next: "Bring it back.",
    origin: "log.example",
    size: 0,
    keys: [],
    statement: null,
    witnesses: [{ name: "auditor", size: null, problem: null }],
    ended: [],
  };
  showLog(status, {}, new Printer(surroundings));
  assert.match(written.join(""), /^entries +not known: the log cannot be read$/m);
  assert.match(written.join(""), /^witness +auditor is not asked while the log cannot be read$/m);
});

test("log verify says grown (0), older or forked (1), or that it could not check (2), from a folder", async (context) => {
  const folder = temporaryFolder(context);
  const { privateKey } = generateKeyPairSync("ed25519");
  const key = formatVerifierKey(verifierKeyOf("ed25519", { name: "log.example", privateKey }));
  writeFileSync(join(folder, "key.txt"), `${key}\n`);
  const grow = async (name: string, byte: number) => {
    const disk = await folderDisk(join(folder, name));
    const opened = await openSequencer({ disk, clock: systemClock, origin: "log.example", keys: [{ privateKey }] });
    assert.ok(opened.outcome === "opened");
    for (const step of [1, 2]) {
      await opened.log.append([{ entries: Buffer.alloc(3 * 32, byte) }], null);
      writeFileSync(join(folder, `${name}-${step}`), opened.log.checkpoint!);
    }
  };
  await grow("log", 1);
  await grow("fork", 2);
  mkdirSync(join(folder, "empty"));
  const judge = async (from: string, to: string, more = "--log log --key key.txt") => {
    const { code, stdout, stderr } = await runLine(
      `log verify --from ${from} --to ${to} ${more} --json`.split(" "),
      folder,
    );
    assert.notEqual(stdout, "", stderr);
    return [code, (JSON.parse(stdout) as { outcome: string }).outcome];
  };
  assert.deepEqual(await judge("log-1", "log-2"), [0, "consistent"]);
  assert.deepEqual(await judge("log-2", "log-1"), [1, "older"]);
  assert.deepEqual(await judge("fork-1", "log-2"), [1, "forked"]);
  assert.deepEqual(await judge("log-1", "fork-1"), [1, "forked"]);
  assert.deepEqual(await judge("log-1", "log-2", "--log empty --key key.txt"), [2, "missing"]);
  mkdirSync(join(folder, "logs", "9"), { recursive: true });
  cpSync(join(folder, "log"), join(folder, "logs", "10"), { recursive: true });
  assert.deepEqual(await judge("log-1", "log-2", "--log logs --key key.txt"), [0, "consistent"]);
  assert.deepEqual(await judge("log-1", "missing"), [2, "unchecked"]);
  assert.deepEqual(await judge("key.txt", "log-2"), [2, "unsigned"]);
  assert.deepEqual(await judge("log-1", "log-2", "--log log --key nonsense"), [2, "unchecked"]);
});

test("a witness's server answers what it is asked, bounded, and nothing else", async (context) => {
  const folder = temporaryFolder(context);
  const { privateKey } = generateKeyPairSync("ed25519");
  const opened = await openWitness({
    disk: await folderDisk(folder),
    clock: systemClock,
    cosigner: { name: "witness.example", privateKey },
    logs: [],
  });
  assert.ok(opened.outcome === "opened");
  const server = await listenAsWitness(opened.witness, "127.0.0.1", 0);
  context.after(() => server.close());
  const ask = async (path: string, body?: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${server.port}${path}`, body === undefined ? {} : { method: "POST", body })).status;
  assert.equal(await ask("/"), 404);
  assert.equal(await ask("/latest/log.example"), 404);
  assert.equal(await ask("/latest/%"), 404);
  assert.equal(await ask("/add-checkpoint"), 405);
  assert.equal(await ask("/add-checkpoint", "nonsense"), 400);
  assert.equal(await ask("/add-checkpoint", "x".repeat(addCheckpointBytesMax + 1)), 413);
});
