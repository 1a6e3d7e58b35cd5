import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Clock, sleep } from "../../base/index.ts";
import { type Account, childEnvironment, identity } from "./account.ts";
import { readPostmasterFile, signal } from "./stale.ts";

/**
 * PostgreSQL outlives a parent that is killed, so a shell stands between: it holds a pipe from us as its standard
 * input, and when that pipe ends, whether we close it or die, the watcher asks for a fast shutdown (SIGINT). The shell
 * waits for PostgreSQL and ends with its status, and takes the watcher along: nothing stays behind on either side.
 * Where processors are short PostgreSQL gives way: it books what has been answered, and answers must not wait for it.
 */
const wrapper = `
exec 3<&0 </dev/null
nice -n 5 "$@" 3<&- &
postgres=$!
(
  while read -r line <&3; do :; done
  kill -INT "$postgres"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$postgres"
status=$?
kill -KILL "$watcher" 2>/dev/null
exit "$status"
`;

export interface PostmasterOptions {
  readonly cluster: string;
  readonly binaries: string;
  readonly account: Account | undefined;
  readonly socketFolder: string;
  readonly clock: Clock;
  /** Each line that PostgreSQL writes; no statement and no value is among them. */
  readonly line: (text: string) => void;
}

export interface Postmaster {
  /** Resolves once connections are taken; rejects where PostgreSQL ends first or takes longer than the limit. */
  ready(limitMs: number): Promise<void>;
  /** Resolves with how it ended, e.g. "status 1". */
  readonly ended: Promise<string>;
  /** Fast shutdown, immediate after `fastMs`, killed after `immediateMs` more. Resolves when it has ended. */
  stop(fastMs: number, immediateMs: number): Promise<void>;
}

/** Starts PostgreSQL on a cluster, in a process group of its own. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { cluster, clock } = options;
  // An earlier postmaster's file may still lie there and say "ready".
  const earlier = await readPostmasterFile(cluster);
  const child = spawn("/bin/sh", ["-c", wrapper, "bailiwick-postgres", ...commandLine(options)], {
    cwd: "/",
    env: childEnvironment,
    detached: true,
    stdio: ["pipe", "ignore", "pipe"],
    ...identity(options.account),
  });
  // The pipe says only that we live; an error on it means that the shell has ended, which `ended` tells.
  child.stdin.on("error", () => {});
  createInterface({ input: child.stderr }).on("line", options.line);
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`did not start: ${error.message}`));
    child.once("exit", (code, signalName) => resolve(code === null ? `signal ${signalName}` : `status ${code}`));
  });
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));

  const own = async (): Promise<{ pid: number; ready: boolean } | undefined> => {
    const file = await readPostmasterFile(cluster);
    const isEarlier = file?.pid === earlier?.pid && file?.startedAt === earlier?.startedAt;
    return file === undefined || isEarlier ? undefined : file;
  };

  return {
    ended,
    async ready(limitMs) {
      const startMs = clock.monotonicMs();
      while ((await own())?.ready !== true) {
        if (hasEnded) throw new Error(`PostgreSQL ended while starting (${await ended}).`);
        if (clock.monotonicMs() - startMs > limitMs) throw new Error(`PostgreSQL was not ready after ${limitMs} ms.`);
        await sleep(clock, 10);
      }
    },
    async stop(fastMs, immediateMs) {
      child.stdin.end();
      if (await within(ended, clock, fastMs)) return;
      const pid = (await own())?.pid;
      if (pid !== undefined) signal(pid, "SIGQUIT");
      if (await within(ended, clock, immediateMs)) return;
      if (pid !== undefined) signal(pid, "SIGKILL");
      if (child.pid !== undefined && !hasEnded) signal(-child.pid, "SIGKILL");
      await ended;
    },
  };
}

/** What must hold whatever postgresql.conf says: arguments win over the file. */
function commandLine(options: PostmasterOptions): string[] {
  const required: Readonly<Record<string, string>> = {
    listen_addresses: "",
    port: "5432",
    unix_socket_directories: options.socketFolder,
    unix_socket_permissions: "0700",
    fsync: "on",
    full_page_writes: "on",
    // Errors that clients are told of are not logged: their texts hold names and values.
    log_destination: "stderr",
    logging_collector: "off",
    log_min_messages: "log",
    log_min_error_statement: "panic",
    log_error_verbosity: "terse",
    log_checkpoints: "off",
    log_line_prefix: "",
  };
  return [
    join(options.binaries, "bin", "postgres"),
    "-D",
    options.cluster,
    ...Object.entries(required).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

/** Whether the promise resolves before the time is over. */
export async function within(promise: Promise<unknown>, clock: Clock, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve(false));
    void promise.then(() => {
      cancel();
      resolve(true);
    });
  });
}
