/**
 * A Bailiwick whose clock is put back, for a demo of a quarter that is over: `node earlier.ts MILLISECONDS NODE PROGRAM up …` is
 * `up` as it is, but for its time of day and for what it does by the minute. The product has no such setting, because receipts say when something was served;
 * those of this cloud say what its clock said, and the demo says that it was put back.
 */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { createIds, systemClock } from "../../src/base/index.ts";
import { runCommandLine } from "../../src/cli/index.ts";

const [backMs, , , ...argv] = process.argv.slice(2);
const minuteMs = 60_000;
const clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() - Number(backMs),
  // It is up for less than a minute, so that accelerators' time, which is noted by the minute, is noted by the second.
  every: (ms: number, run: () => void) => systemClock.every(ms === minuteMs ? 1_000 : ms, run),
};

process.exitCode = await runCommandLine({
  argv,
  environment: process.env,
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  currentFolder: process.cwd(),
  temporaryFolder: tmpdir(),
  clock,
  ids: createIds(clock),
  randomBytes: (count) => randomBytes(count),
  onStopSignal: (run) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, run);
  },
});
