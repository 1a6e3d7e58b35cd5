import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { ManualClock, systemClock } from "../base/index.ts";
import { takeLock } from "./lock.ts";

describe("a lock", () => {
  let folder = "";
  let path = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "bailiwick-lock-"));
    path = join(folder, "lock");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("is held by one at a time", async () => {
    let holders = 0;
    const work = async () => {
      const lock = await takeLock(path, { clock: systemClock });
      assert.equal((holders += 1), 1);
      await readFile(path);
      holders -= 1;
      await lock.release();
    };
    await Promise.all([work(), work(), work()]);
    await assert.rejects(readFile(path), /ENOENT/);
  });

  it("that was abandoned goes to one at a time of those that find it so", async () => {
    await writeFile(path, "another-machine 1 0 1");
    const then = new Date(systemClock.nowMs() - 61_000);
    await utimes(path, then, then);
    let holders = 0;
    const work = async () => {
      const lock = await takeLock(path, { clock: systemClock });
      assert.equal((holders += 1), 1);
      await readFile(path);
      holders -= 1;
      await lock.release();
    };
    await Promise.all([work(), work(), work(), work()]);
  });

  it("tells its holder when another has taken it over, and is then not removed by it", async () => {
    const clock = new ManualClock();
    const lock = await takeLock(path, { clock });
    await writeFile(path, "another-machine 1 0 1");
    clock.advance(5_000);
    if (!lock.lost.aborted) await once(lock.lost, "abort");
    assert.match(String(lock.lost.reason), /took over the lock/);
    await lock.release();
    assert.equal(await readFile(path, "utf8"), "another-machine 1 0 1");
  });
});
