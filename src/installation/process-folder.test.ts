import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { makeProcessFolder, removeAbandoned } from "./index.ts";

function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-processes-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The folder of a process that was killed; before that, `also` is asked with it. */
async function killed(
  parent: string,
  also: (path: string) => Promise<unknown> = async () => undefined,
): Promise<string> {
  const index = JSON.stringify(new URL("./index.ts", import.meta.url).href);
  const script = `import { makeProcessFolder } from ${index};
    console.log((await makeProcessFolder(${JSON.stringify(parent)}, "ours-")).path);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const path = line.toString().trim();
  await also(path);
  child.kill("SIGKILL");
  await once(child, "exit");
  return path;
}

test("a folder goes with its process, and its own hand removes it whole", async (context) => {
  const parent = temporaryFolder(context);
  const folder = await makeProcessFolder(parent, "ours-");
  writeFileSync(join(folder.path, "file"), "");
  assert.deepEqual(await removeAbandoned(parent, "ours-"), [], "its process lives");
  await folder.remove();
  assert.deepEqual(readdirSync(parent), []);
});

test("what a killed process has left is removed, and only while it lives it stays", async (context) => {
  const parent = temporaryFolder(context);
  const path = await killed(parent, async () => assert.deepEqual(await removeAbandoned(parent, "ours-"), []));
  assert.ok(existsSync(path));
  assert.deepEqual(await removeAbandoned(parent, "ours-"), [path]);
  assert.deepEqual(readdirSync(parent), []);
});

test("what others listen in stays until they are gone; what is none of ours stays for ever", async (context) => {
  const parent = temporaryFolder(context);
  const path = await killed(parent);
  const left = createServer().listen(join(path, "host-1.sock"));
  await once(left, "listening");
  mkdirSync(join(parent, "ours-unowned"));
  writeFileSync(join(parent, "ours-file"), "");
  const elsewhere = await killed(temporaryFolder(context));
  symlinkSync(elsewhere, join(parent, "ours-link"));
  assert.deepEqual(await removeAbandoned(parent, "ours-"), []);
  assert.deepEqual(await removeAbandoned(parent, "other-"), []);
  left.close();
  await once(left, "close");
  assert.deepEqual(await removeAbandoned(parent, "ours-"), [path]);
  assert.ok(existsSync(elsewhere));
  assert.deepEqual(readdirSync(parent).toSorted(), ["ours-file", "ours-link", "ours-unowned"]);
  await assert.rejects(removeAbandoned(join(parent, "none"), "ours-"), /ENOENT/);
});
