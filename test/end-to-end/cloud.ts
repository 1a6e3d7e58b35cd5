import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const program = fileURLToPath(new URL("../../bin/bailiwick.js", import.meta.url));
const run = promisify(execFile);

export interface CloudOptions {
  /** Arguments of `up` besides --data and --port. */
  readonly arguments?: readonly string[];
  /** bailiwick.yaml's text. */
  readonly settings?: string;
  /** A data folder to go on with; left out: a fresh one. */
  readonly data?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What must be answered with 200; left out: that it is ready. */
  readonly until?: "/healthz" | "/readyz";
  /** How long until it must be ready. */
  readonly readyWithinMs?: number;
  /** A program and its arguments that run `up`; it has to stay this process's own child. */
  readonly under?: readonly string[];
}

/** A Bailiwick as its users run it: a process of its own, found through its data folder. */
export interface RunningCloud {
  readonly url: string;
  readonly data: string;
  readonly process: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Runs a command against it; the parsed JSON it printed. */
  command<T>(...args: readonly string[]): Promise<T>;
  newKey(project?: string, ...more: readonly string[]): Promise<string>;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL to the server and every process below it. */
  kill(): Promise<void>;
}

/** Folders made by this test file; the caller removes them when its tests are done. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "bailiwick-e2e-"));
  // As root PostgreSQL runs as another user, who must get through to the data folder.
  chmodSync(path, 0o755);
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startCloud(options: CloudOptions = {}): Promise<RunningCloud> {
  const data = options.data ?? join(mkdtempSync(join(tmpdir(), "bailiwick-e2e-")), "data");
  const settings = join(data, "..", "bailiwick.yaml");
  writeFileSync(settings, patient(options.settings ?? "{}"));
  const [first = process.execPath, ...more] = options.under ?? [];
  const above = options.under === undefined ? [] : [...more, process.execPath];
  const child = spawn(
    first,
    [...above, program, "up", "--data", data, "--port", "0", "--config", settings, ...(options.arguments ?? [])],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...options.environment } },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const url = await ready(child, data, options, () => output);
  const command = async <T>(...args: readonly string[]): Promise<T> => {
    const { stdout } = await run(process.execPath, [program, ...args, "--data", data, "--json"], {
      maxBuffer: 64 << 20,
    });
    return JSON.parse(stdout) as T;
  };
  return {
    url,
    data,
    process: child,
    output: () => output,
    command,
    newKey: async (project = "default", ...more) =>
      (await command<{ key: string }>("key", "create", "--project", project, ...more)).key,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
    kill: async () => {
      const below = await descendants(child.pid!);
      for (const pid of [child.pid!, ...below]) signal(pid, "SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await gone(below);
    },
  };
}

/**
 * The settings, under which a machine that stands still for a second is not taken for a database that is away, unless they
 * say so: personal data would be refused for a moment, in whatever test.
 */
function patient(settings: string): string {
  const given = (parse(settings) ?? {}) as { readonly database?: { readonly whenAway?: object } };
  const whenAway = { afterMs: 10_000, ...given.database?.whenAway };
  return JSON.stringify({ ...given, database: { ...given.database, whenAway } });
}

/** The first start of a cloud that has a model asks a question of its own, which is one more request. */
export function ownQuestionAnswered(cloud: RunningCloud): Promise<void> {
  return eventually("the answer to its own question", () => cloud.output().includes("one bit flipped"));
}

/** A command that is expected to fail: what it printed, and its exit code. */
export async function commandFails(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { env: { ...process.env, ...environment } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => (stdout += part.toString()));
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

async function ready(
  child: ChildProcess,
  data: string,
  { until = "/readyz", readyWithinMs: withinMs = 120_000 }: CloudOptions,
  output: () => string,
): Promise<string> {
  const endMs = Date.now() + withinMs;
  while (Date.now() < endMs) {
    if (child.exitCode !== null) throw new Error(`up ended with ${child.exitCode}:\n${output()}`);
    const url = urlOf(data);
    if (url !== undefined && (await answers(`${url}${until}`))) return url;
    await pause(50);
  }
  child.kill("SIGKILL");
  throw new Error(`up was not ready within ${withinMs} ms:\n${output()}`);
}

function urlOf(data: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(data, "server.json"), "utf8")) as { url: string }).url;
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ENOENT");
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).status === 200;
  } catch {
    // Nobody listens there yet.
    return false;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits until a condition holds; fails with the given words when it does not in time. How long that takes is a loaded
 * machine's affair: a shorter limit is for what is promised within it.
 */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await pause(25);
  }
}

/** Every process below one, by its parents. */
export async function descendants(pid: number): Promise<readonly number[]> {
  const pairs = await processes();
  const found = new Set<number>([pid]);
  for (const parent of found) for (const [child, of] of pairs) if (of === parent) found.add(child);
  found.delete(pid);
  return [...found];
}

/** The processes that one has started itself. */
export async function children(pid: number): Promise<readonly number[]> {
  return (await processes()).filter(([, of]) => of === pid).map(([child]) => child);
}

/** Each process with its parent. */
async function processes(): Promise<readonly (readonly [pid: number, parent: number])[]> {
  const { stdout } = await run("ps", ["-e", "-o", "pid=,ppid="]);
  const lines = stdout.trim().split("\n");
  return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie waits for its parent only; it runs nothing any more.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    // No such process.
    return false;
  }
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually("the end of all processes", () => !pids.some(alive));
}

/** What has ended meanwhile hears of no signal. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, "ESRCH");
  }
}
