import { leafHashes } from "./hashes.ts";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { systemClock, hashBytes, rootOver, DiskFullError } from "../base/index.ts";
import { checkConsistency, folderDisk, openSequencer, proveInclusion, type Sequencer, verifierKeyOf } from "./index.ts";
import { entriesFrom, entryAt, privateKey } from "./testing.ts";
import { authenticTiles } from "./authentic-tiles.ts";
import { rootAt } from "./tree.ts";

const origin = "example.com/log";
const keys = [{ privateKey: privateKey(1) }];
const trusted = { origin, keys: [verifierKeyOf("ed25519", { name: origin, privateKey: privateKey(1) })] };

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-log-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function open(folder: string): Promise<Sequencer> {
  const opened = await openSequencer({ disk: await folderDisk(folder), clock: systemClock, origin, keys });
  assert.ok(opened.outcome === "opened", opened.outcome === "opened" ? "" : opened.reason);
  return opened.log;
}

test("a real folder: three levels of tiles, found again by the next process", async (context) => {
  const folder = join(await temporaryFolder(context), "made", "here");
  const size = 256 * 256 + 700;
  const entries = entriesFrom(0, size);
  const log = await open(folder);
  for (const [number, from, to] of [
    [1, 0, 60_000],
    [2, 60_000, size - 5],
    [3, size - 5, size],
  ] as const) {
    const batch = { segment: 1, offset: number, entries: entries.subarray(from * hashBytes, to * hashBytes) };
    assert.equal((await log.append([batch], number)).outcome, "appended");
  }
  assert.deepEqual(log.root, rootOver(leafHashes(entries)));
  const next = await open(folder);
  assert.deepEqual([next.size, next.cursor, next.checkpoint], [size, 3, log.checkpoint]);
  assert.deepEqual(await next.find({ segment: 1, offset: 2 }), { outcome: "found", first: 60_000 });
  const index = 255;
  const proven = await proveInclusion(next.readTile, entryAt(entries, index), index, next);
  assert.equal(proven.outcome, "proven");
  assert.deepEqual(await readdir(join(folder, "tile")), ["0", "1", "2", "entries"]);
  assert.deepEqual((await readdir(join(folder, "tile", "2"))).length, 1);
  assert.equal(await readFile(join(folder, "checkpoint"), "utf8"), log.checkpoint);
  const { mode } = await stat(join(folder, "tile", "0", "000"));
  assert.equal(mode & 0o077, 0, "who may read it is for who serves it");
});

test("a file that does not fit is a full disk", { skip: !existsSync("/dev/full") }, async () => {
  const disk = await folderDisk("/dev");
  await assert.rejects(disk.write("full", Buffer.alloc(10)), DiskFullError);
});

/** A process that appends as fast as it can, and prints each size that was acknowledged with the checkpoint shown then. */
function writerCode(folder: string): string {
  const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  return `
    import { writeSync } from "node:fs";
    const { openSequencer, folderDisk } = await import(${here("./index.ts")});
    const { systemClock } = await import(${here("../base/index.ts")});
    const { entriesFrom, privateKey } = await import(${here("./testing.ts")});
    const opened = await openSequencer({
      disk: await folderDisk(${JSON.stringify(folder)}), clock: systemClock, origin: ${JSON.stringify(origin)},
      keys: [{ privateKey: privateKey(1) }],
    });
    for (const { log } = opened; ;) {
      const entries = entriesFrom(log.size, 1 + (log.size % 97));
      await log.append([{ segment: 1, offset: log.size, entries }], log.size + entries.length / 32);
      writeSync(1, log.size + " " + Buffer.from(log.checkpoint).toString("base64") + "\\n");
    }
  `;
}

test("kill -9 at any moment: the log goes on exactly, and everything shown is the beginning of what is shown later", async (context) => {
  const folder = await temporaryFolder(context);
  const shown: Buffer[] = [];
  let acknowledged = 0;
  for (const lines of [5, 17, 30]) {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", writerCode(folder)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      const [size, checkpoint] = line.split(" ");
      acknowledged = Number(size);
      shown.push(Buffer.from(checkpoint!, "base64"));
      if (++seen === lines) child.kill("SIGKILL");
    }
    await ended;
    assert.ok(seen >= lines);
    const log = await open(folder);
    assert.ok(log.size >= acknowledged);
    assert.equal(log.cursor, log.size);
    assert.deepEqual(log.root, rootOver(leafHashes(entriesFrom(0, log.size))));
    for (const seen of shown) {
      const input = { log: trusted, seen, shown: Buffer.from(log.checkpoint!), readTile: log.readTile };
      assert.equal((await checkConsistency(input)).outcome, "consistent");
    }
    assert.deepEqual(await rootAt(authenticTiles(log.readTile, log.size, log.root), log.size), log.root);
  }
});
