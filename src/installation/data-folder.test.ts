import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createIds, systemClock } from "../base/index.ts";
import { openDataFolder, readServerNote } from "./index.ts";

const ids = createIds(systemClock);
const open = (path: string) =>
  openDataFolder({ path, ids, randomBytes, temporaryFolder: tmpdir(), platform: process.platform });

function temporaryFolder(context: { after: (run: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-folder-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test("a folder keeps its identity and token, and its secrets are its owner's", async (context) => {
  const path = join(temporaryFolder(context), "data");
  const first = await open(path);
  assert.ok(first.outcome === "opened" && first.folder.isNew);
  first.folder.announce({ url: "http://127.0.0.1:1", pid: 7 });
  assert.deepEqual(readServerNote(path), { url: "http://127.0.0.1:1", pid: 7 });
  for (const name of ["operator-token", "installation.json", "server.json"]) {
    assert.equal(statSync(join(path, name)).mode & 0o077, 0, name);
  }
  await first.folder.close();
  assert.equal(readServerNote(path), undefined);
  const again = await open(path);
  assert.ok(again.outcome === "opened" && !again.folder.isNew);
  assert.equal(again.folder.installation, first.folder.installation);
  assert.equal(again.folder.operatorToken, first.folder.operatorToken);
  await again.folder.close();
});

test("a second process on the folder is told so, and a killed one leaves no lock behind", async (context) => {
  const path = join(temporaryFolder(context), "data");
  const script = join(temporaryFolder(context), "holder.mjs");
  writeFileSync(
    script,
    `import { openDataFolder } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
     import { createIds, systemClock } from ${JSON.stringify(new URL("../base/index.ts", import.meta.url).href)};
     import { randomBytes } from "node:crypto";
     await openDataFolder({ path: ${JSON.stringify(path)}, ids: createIds(systemClock), randomBytes, temporaryFolder: ${JSON.stringify(tmpdir())}, platform: process.platform });
     console.log("held");
     setInterval(() => {}, 1000);`,
  );
  const holder = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  assert.equal((await open(path)).outcome, "taken");
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const after = await open(path);
  assert.ok(after.outcome === "opened");
  await after.folder.close();
});
