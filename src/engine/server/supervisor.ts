/**
 * A program of its own that stands between a host and the program it runs: a foreign program does not watch for its
 * parent's death, and this one does. It holds a pipe from the host as its standard input; when that ends, whether the
 * host closes it or dies, the program's whole process group is ended. It stands outside that group, which may be
 * stopped while it must not be. It writes lines of JSON: `{"pid"}`, then `{"ended"}`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { systemClock } from "../../base/index.ts";
import type { Supervised, SupervisorLine } from "./program.ts";

const wakingMs = 20;

function run(supervised: Supervised): ChildProcess {
  const [program, ...rest] = supervised.command;
  // What it prints goes where our own errors go: to the host. Its input ends when we do, for those that look.
  const child = spawn(program!, rest, { detached: true, stdio: ["pipe", 2, 2] });
  if (child.pid !== undefined) say({ pid: child.pid });
  child.once("error", (error) => end(`did not start: ${error.message}`));
  child.once("exit", (code, signal) => {
    // Processes that it has started and left behind.
    signalGroup(child, "SIGKILL");
    end(code === null ? `signal ${signal}` : `status ${code}`);
  });
  const end = (how: string): void => {
    rmSync(supervised.folder, { recursive: true, force: true });
    process.stdout.write(`${JSON.stringify({ ended: how } satisfies SupervisorLine)}\n`, () => process.exit(0));
  };
  return child;
}

/** Asks the group to end, and ends it. */
function stop(child: ChildProcess, graceMs: number): void {
  // A stopped process hears nothing before all its threads go on; Python for one hears with its first thread only.
  signalGroup(child, "SIGCONT");
  systemClock.after(wakingMs, () => signalGroup(child, "SIGTERM"));
  systemClock.after(graceMs, () => signalGroup(child, "SIGKILL"));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of the group is left.
  }
}

function say(line: SupervisorLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// The host decides what ends here; a terminal's signals, and those to the host's group, are not for this process.
for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.on(signal, () => undefined);
// A host that is gone reads nothing.
for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  const supervised = JSON.parse(line) as Supervised;
  const child = run(supervised);
  lines.once("close", () => stop(child, supervised.graceMs));
});
