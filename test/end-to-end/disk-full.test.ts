import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ask, control, errorIn, isDone, makeKey, usageIn, usageOf } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";
import { proofOf } from "./transparency.ts";

/** A cloud on a real disk that is full: a small file system in memory, which root may mount. */
const folder = temporaryFolder();
const filler = join(folder.path, "filler");
let isMounted = false;
let cloud: RunningCloud | undefined;

before(async () => {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=220m,mode=755", "tmpfs", folder.path], { stdio: "ignore" });
    isMounted = true;
  } catch {
    // Only root may, and not everywhere: the test says that it was not run.
    return;
  }
  cloud = await startCloud({
    data: join(folder.path, "data"),
    settings:
      "engine: {kind: fake}\nmodels: {serve: [fake]}\nsite: {jurisdiction: DE}\njournal: {segmentBytes: 1048576}\n",
  });
});
after(async () => {
  await cloud?.kill();
  if (isMounted) execFileSync("umount", ["-l", folder.path]);
  folder.remove();
});

function fillDisk(): void {
  const file = openSync(filler, "w");
  const zeros = Buffer.alloc(64 * 1024);
  try {
    for (;;) writeSync(file, zeros);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOSPC");
  }
  closeSync(file);
}

test("a full disk: new requests get 503 with a code, running answers finish, nothing is lost, and it goes on when there is room", async (context) => {
  if (cloud === undefined) return context.skip("no file system can be mounted here");
  const { url } = cloud;
  const key = await makeKey(cloud, "full");
  const answered: { readonly status: number | undefined; readonly tokens: number }[] = [];
  const receipts: string[] = [];
  const one = async (): Promise<string> => {
    const seen = await ask({ url, key, content: `${"words ".repeat(400)}[[fake:tokens=4]]` });
    if (seen.status === 200) answered.push({ status: 200, tokens: usageIn(seen)!.completion_tokens });
    if (seen.status === 200) receipts.push(String(seen.headers["bailiwick-receipt"]));
    return seen.status === 200 ? "200" : `${seen.status} ${errorIn(seen).code}`;
  };
  assert.equal(await one(), "200");
  const running = ask({ url, key, stream: true, content: "[[fake:tokens=60]] [[fake:token-ms=50]]" });
  fillDisk();
  // The segments that were prepared before hold some hundred requests more; then there is room for none.
  await eventually("the refusal", async () => /^503 journal_full$/.test(await one()));
  for (let refused = 0; refused < 300; refused++) assert.match(await one(), /^(503 journal_full|200)$/);
  const finished = await running;
  assert.ok(finished.whole && isDone(finished.text), "an answer that ran did not finish");
  answered.push({ status: 200, tokens: usageIn(finished)!.completion_tokens });
  // Its receipt finds no room in the log either, and the log says so.
  const log = (): Promise<{ state: string }> => control(cloud!, "GET", "/log");
  await eventually("the log's word", async () => (await log()).state === "full");
  rmSync(filler);
  await eventually("room again", async () => (await one()) === "200");
  await eventually("the books", async () => {
    try {
      const { outputTokens } = await usageOf(cloud!, "full");
      return outputTokens === answered.reduce((sum, { tokens }) => sum + tokens, 0);
    } catch {
      // PostgreSQL had no room either, and comes back.
      return false;
    }
  });
  // The log goes on by itself, from where it was: all that was answered is in it.
  for (const id of receipts) await proofOf(cloud, key, id);
  await eventually("the log's word", async () => (await log()).state === "open");
  const { unrated, requests } = await usageOf(cloud, "full");
  assert.equal(unrated, 0);
  // What was refused for want of room is hardly written down: it would take the room that comes free.
  assert.ok(requests < answered.length + 90, `${requests} requests for ${answered.length} answers`);
});
