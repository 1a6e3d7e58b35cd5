import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Spool } from "./spool.ts";

/** A small file system of its own, which root may mount; undefined: nobody may here. */
function smallDisk(context: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-spool-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", folder], { stdio: "ignore" });
    context.after(() => execFileSync("umount", ["-l", folder]));
  } catch {
    return undefined;
  } finally {
    context.after(() => rmSync(folder, { recursive: true, force: true }));
  }
  return folder;
}

const line = (letter: string, bytes: number): string => `${letter.repeat(bytes - 1)}\n`;

test("a disk that is full in the middle of a line takes no other line with it, and none that was told as lost comes back", async (context) => {
  const folder = smallDisk(context);
  if (folder === undefined) return context.skip("no file system can be mounted here");
  const spool = await Spool.open(join(folder, "spool"), 1e9);
  assert.equal(await spool.append(line("a", 100)), true);
  const filler = join(folder, "filler");
  writeFileSync(filler, Buffer.alloc(40_000));
  const torn = await Promise.allSettled([spool.append(line("b", 6_000)), spool.append(line("c", 40_000))]);
  assert.ok(torn.some(({ status }) => status === "rejected"));
  rmSync(filler);
  assert.equal(await spool.append(line("d", 100)), true);
  const kept = torn.flatMap(({ status }, at) => (status === "fulfilled" ? ["b", "c"][at]! : []));
  assert.equal(spool.bytes, 200 + (kept.includes("b") ? 6_000 : 0));
  const drained: string[] = [];
  await spool.drain((lines) => Promise.resolve(void drained.push(...lines)));
  assert.deepEqual(
    drained.map((text) => [...new Set(text)].join("")),
    ["a", ...kept, "d"],
  );
  assert.equal(spool.bytes, 0);
  await spool.close();
});
