/** The processes of a bench: each is started as its user would, watched, and ended with the bench. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";

export interface Child {
  readonly pid: number;
  /** The next line of standard output; rejects where the process ends without one. One caller at a time. */
  nextLine(): Promise<string>;
  /** Writes a line to its standard input. */
  writeLine(line: string): void;
  /** The last lines that it wrote to standard error, for an error's message. */
  readonly complaints: () => string;
  readonly ended: () => boolean;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when the process has ended. */
  stop(graceMs?: number): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

export interface StartOptions {
  /** Its working directory. */
  readonly folder?: string;
  /** Beside this process's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

export function start(command: string, args: readonly string[], { folder, environment }: StartOptions = {}): Child {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    cwd: folder,
    env: { ...process.env, ...environment },
  });
  running.add(child);
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const exited = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      complaints += String(error);
      resolve();
    });
    child.once("exit", () => resolve());
  }).then(() => running.delete(child));
  // Lines that nobody has asked for yet; bounded, because a server's log may go on for long.
  let lines: string[] = [];
  let waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (waiting === undefined) lines = [...lines, line].slice(-100);
    else waiting.resolve(line);
    waiting = undefined;
  });
  const early = (): Error => new Error(`${command} ${args.join(" ")} ended early: ${complaints}`);
  void exited.then(() => waiting?.reject(early()));
  return {
    pid: child.pid ?? -1,
    nextLine() {
      const line = lines.shift();
      if (line !== undefined) return Promise.resolve(line);
      if (!running.has(child)) return Promise.reject(early());
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
      });
    },
    writeLine: (line) => void child.stdin.write(`${line}\n`),
    complaints: () => complaints,
    ended: () => !running.has(child),
    async stop(graceMs = 5000) {
      child.kill("SIGTERM");
      const late = new AbortController();
      void delay(graceMs, undefined, { signal: late.signal }).then(
        () => child.kill("SIGKILL"),
        () => undefined, // Aborted: the process has ended in time.
      );
      await exited;
      late.abort();
    },
  };
}

/** Starts one of the bench's own processes, which prints {"port"} when it listens. */
export async function startListening(
  script: string,
  args: readonly string[] = [],
): Promise<{ child: Child; port: number }> {
  const child = start(process.execPath, [new URL(script, import.meta.url).pathname, ...args]);
  const { port } = JSON.parse(await child.nextLine()) as { port: number };
  return { child, port };
}

/** For a child of the bench: end when the bench has gone, however it went. */
export function endWithParent(): void {
  process.stdin.on("end", () => process.exit(0)).resume();
}

/** A port that is free now, for programs that cannot be told 0. Another program may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("a server on a port has an address");
  return address.port;
}

/** Waits until `url` answers 200; throws when `child` ends or the time is up. */
export async function untilReady(child: Child, url: string, withinMs: number): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    if (child.ended()) throw new Error(`ended before ${url} answered: ${child.complaints()}`);
    if (await answers(url)) return;
    if (performance.now() > deadlineMs)
      throw new Error(`${url} did not answer within ${withinMs} ms: ${child.complaints()}`);
    await delay(50);
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await request(url, { headersTimeout: 2000 });
    await response.body.dump();
    return response.statusCode === 200;
  } catch (error) {
    // Not listening yet, or not speaking yet: both are what is being waited for.
    if (error instanceof Error && "code" in error) return false;
    throw error;
  }
}
