import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { systemClock } from "../base/index.ts";
import { folderDisk, type Journal, openJournal } from "./index.ts";

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-journal-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function start(folder: string): Promise<Journal> {
  return openJournal({
    disk: await folderDisk(folder),
    clock: systemClock,
    installation: "inst_00000000000000000000000000",
    gateway: "gw_00000000000000000000000000",
    segmentBytes: 256 * 1024,
    seal: (payloads) => `{"seal":${payloads.length}}`,
  });
}

test("a real folder: segments are allocated in full, and what was written is read back by the next process", async (context) => {
  const folder = await temporaryFolder(context);
  const journal = await start(folder);
  let refused = 0;
  for (let number = 0; number < 300; number++) {
    const intent = journal.intend(`req_${number}`, JSON.stringify({ text: "é".repeat(500) }));
    if (intent.outcome === "refused") {
      refused++;
      continue;
    }
    await intent.durable;
    await journal.settle(intent, `{"n":${number}}`, `{"receipt":${number}}`).durable;
  }
  await journal.close();
  for (const name of await readdir(folder)) {
    const { size, blocks, mode } = await stat(join(folder, name));
    assert.equal(size, 256 * 1024);
    assert.ok(blocks * 512 >= size, "the room is really there");
    assert.equal(mode & 0o077, 0, "only its owner may read it");
  }
  const next = await start(folder);
  let records = 0;
  for await (const batch of next.read()) records += batch.records.length;
  assert.equal(records, 2 * (300 - refused));
  assert.ok(next.state().segments >= 2);
  await next.release(next.durable);
  assert.equal(next.state().segments, 1);
  await next.close();
});

/** A process that serves requests as fast as it can and prints each one whose settlement is durable. */
function writerCode(folder: string): string {
  const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  return `
    import { writeSync } from "node:fs";
    const { openJournal, folderDisk } = await import(${here("./index.ts")});
    const { systemClock } = await import(${here("../base/index.ts")});
    const journal = await openJournal({
      disk: await folderDisk(${JSON.stringify(folder)}), clock: systemClock, segmentBytes: 256 * 1024,
      installation: "inst_00000000000000000000000000", gateway: "gw_00000000000000000000000000",
      seal: (payloads) => "{}",
    });
    let number = 0;
    async function serve() {
      for (;;) {
        const request = "req_" + process.pid + "_" + number++;
        const intent = journal.intend(request, "{}");
        if (intent.outcome === "refused") { await new Promise((resolve) => setImmediate(resolve)); continue; }
        await intent.durable;
        await journal.settle(intent, "{}", JSON.stringify({ receipt: request })).durable;
        writeSync(1, request + "\\n");
      }
    }
    for (let worker = 0; worker < 8; worker++) serve();
  `;
}

test("kill -9 at any moment loses no acknowledged record, three times over the same folder", async (context) => {
  const folder = await temporaryFolder(context);
  const acknowledged: string[] = [];
  for (const lines of [50, 333, 801]) {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", writerCode(folder)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (++seen === lines) child.kill("SIGKILL");
    }
    await ended;
    assert.ok(seen >= lines);
    const journal = await start(folder);
    const settled: string[] = [];
    for await (const batch of journal.read()) {
      for (const record of batch.records) if (record.kind === "settlement") settled.push(record.request);
    }
    assert.equal(new Set(settled).size, settled.length, "none twice");
    const there = new Set(settled);
    assert.deepEqual(
      acknowledged.filter((request) => !there.has(request)),
      [],
    );
    for (const { intent } of journal.openIntents()) await journal.settle(intent, '{"orphan":true}').durable;
    await journal.close();
  }
});
