import { readFile, readlink, realpath, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Clock, sleep } from "../../base/index.ts";
import { runCommand } from "./account.ts";

/** What stands in postmaster.pid (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*). */
export interface PostmasterFile {
  readonly pid: number;
  /** Line 3: seconds since 1970; with the pid it tells one postmaster from the next. */
  readonly startedAt: string;
  /** Line 8: "ready" once connections are taken. */
  readonly ready: boolean;
}

export async function readPostmasterFile(cluster: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const lines = text?.split("\n") ?? [];
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  return { pid, startedAt: lines[2] ?? "", ready: (lines[7] ?? "").trim() === "ready" };
}

export interface StaleOptions {
  readonly cluster: string;
  readonly clock: Clock;
  /** How long a fast shutdown may take before an immediate one is asked for. */
  readonly fastMs: number;
  /** How long an immediate one may take before this gives up. */
  readonly immediateMs: number;
}

export type StaleOutcome = "none" | "stopped fast" | "stopped immediately" | "removed the file";

/**
 * Stops a postmaster that an earlier run left behind on our data directory. A process that only has its number is
 * never touched: it must be a postgres whose working directory is the cluster.
 */
export async function stopStalePostmaster(options: StaleOptions): Promise<StaleOutcome> {
  const file = await readPostmasterFile(options.cluster);
  if (file === undefined || !isAlive(file.pid)) return "none"; // PostgreSQL replaces a dead postmaster's file itself.
  if (!(await isPostmasterOf(file.pid, options.cluster))) {
    // Another program got the number. PostgreSQL would take it for a running postmaster and refuse to start.
    await rm(join(options.cluster, "postmaster.pid"), { force: true });
    return "removed the file";
  }
  signal(file.pid, "SIGINT");
  if (await gone(file.pid, options, options.fastMs)) return "stopped fast";
  signal(file.pid, "SIGQUIT");
  if (await gone(file.pid, options, options.immediateMs)) return "stopped immediately";
  throw new Error(`An earlier PostgreSQL (process ${file.pid}) still runs on ${options.cluster} and does not end.`);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Sends a signal; a process that has just ended is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** A process that has ended and that nobody has waited for still has its number, but no program and no folder. */
async function gone(pid: number, { cluster, clock }: StaleOptions, limitMs: number): Promise<boolean> {
  const startMs = clock.monotonicMs();
  while (isAlive(pid) && (await isPostmasterOf(pid, cluster))) {
    if (clock.monotonicMs() - startMs > limitMs) return false;
    await sleep(clock, 20);
  }
  return true;
}

async function isPostmasterOf(pid: number, cluster: string): Promise<boolean> {
  const real = await realpath(cluster);
  if (process.platform === "linux") {
    try {
      const program = basename((await readlink(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, ""));
      return program === "postgres" && (await readlink(`/proc/${pid}/cwd`)) === real;
    } catch {
      return false; // Ended meanwhile, or another account's process, which a cluster of ours never is.
    }
  }
  const result = await runCommand("ps", ["-ww", "-o", "args=", "-p", String(pid)], undefined);
  const words = result.output.trim().split(/\s+/);
  return basename(words[0] ?? "") === "postgres" && result.output.includes(`-D ${cluster}`);
}
