import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { createIds, systemClock } from "./base/index.ts";
import { type Output, runCommandLine } from "./cli/index.ts";

// The one place that looks at the process: its arguments, its environment, its streams and signals.

/** A reader that went away (`bailiwick usage | head -1`) is no failure; any other broken stream is one. */
function lenient(stream: NodeJS.WriteStream): Output {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return stream;
}

process.exitCode = await runCommandLine({
  argv: process.argv.slice(2),
  environment: process.env,
  stdin: () => process.stdin,
  stdout: lenient(process.stdout),
  stderr: lenient(process.stderr),
  currentFolder: process.cwd(),
  temporaryFolder: tmpdir(),
  clock: systemClock,
  ids: createIds(systemClock),
  randomBytes: (count) => randomBytes(count),
  onStopSignal: (run) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, run);
  },
});
