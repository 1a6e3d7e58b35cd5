import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { descendantsOf, parseProcStat, parsePsLine, type ProcessUse, readProcesses, useOf } from "./cpu.ts";

const units = { ticksPerSecond: 100, pageBytes: 4096 };

test("a process's stat is read whatever its command is called", () => {
  const rest = "S 7 1 1 0 -1 4194560 100 0 0 0 250 50 9000 9000 20 0 4 0 12345 1000000 512 18446744073709551615";
  for (const command of ["node", "a b", "vllm::router", ") S 1 2 (", "x)"]) {
    const use = parseProcStat(`4242 (${command}) ${rest}`, units);
    // Children that were waited for (fields 16 and 17, here 9000) are not this process's.
    assert.deepEqual(use, { pid: 4242, parentPid: 7, cpuMs: 3000, residentBytes: 512 * 4096 }, command);
  }
  assert.throws(() => parseProcStat("4242 (cut", units));
});

test("a line of ps is read with hours, days and hundredths", () => {
  const cpuMs = (time: string) => parsePsLine(`  12     1   2048 ${time}`).cpuMs;
  assert.equal(cpuMs("0:01.25"), 1250);
  assert.equal(cpuMs("12:34.50"), 754_500);
  assert.equal(cpuMs("01:00:01"), 3_601_000);
  assert.equal(cpuMs("2-03:04:05"), ((2 * 24 + 3) * 3600 + 4 * 60 + 5) * 1000);
  assert.equal(parsePsLine("12 1 2048 0:00").residentBytes, 2 * 1024 * 1024);
  assert.throws(() => parsePsLine("PID PPID RSS TIME"));
});

test("descendants are found over several generations, without the process itself", () => {
  const of = (pid: number, parentPid: number): ProcessUse => ({ pid, parentPid, cpuMs: 0, residentBytes: 0 });
  const all = new Map([of(1, 0), of(2, 1), of(3, 2), of(4, 2), of(5, 1), of(6, 9)].map((use) => [use.pid, use]));
  assert.deepEqual(new Set(descendantsOf(2, all)), new Set([3, 4]));
  assert.deepEqual(new Set(descendantsOf(1, all)), new Set([2, 3, 4, 5]));
  assert.deepEqual(descendantsOf(6, all), []);
});

test("a child that computed is found below this process with what it used", async () => {
  const script =
    "const end = performance.now() + 300; while (performance.now() < end); console.log(); process.stdin.resume()";
  const child = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    assert.ok(child.pid !== undefined);
    assert.ok(descendantsOf(process.pid, await readProcesses()).includes(child.pid));
    const { cpuMs, residentBytes } = await useOf(child.pid);
    // How much of its 300 ms a busy machine gave it is open; that it was none is not.
    assert.ok(cpuMs > 0 && cpuMs < 60_000, `${cpuMs} ms`);
    assert.ok(residentBytes > 1_000_000);
  } finally {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
});
