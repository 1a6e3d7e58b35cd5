import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Clock, sleep } from "../base/index.ts";

/** How often a holder shows that it lives, and after how long without it another may take the lock. */
const heartbeatMs = 5_000;
const abandonedMs = 60_000;
const retryMs = 200;

export interface Lock {
  /** Aborted when another has taken the lock, which only happens to a holder that was stopped for a minute. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

let taken = 0;

/**
 * One process at a time, over a file: `bailiwick up` and `bailiwick model pull` may want the same model at once. Waits
 * while another lives (`onWait` is told who), takes over from one that died. Ends with the signal's reason.
 */
export async function takeLock(
  path: string,
  options: { readonly clock: Clock; readonly signal?: AbortSignal; readonly onWait?: (holder: string) => void },
): Promise<Lock> {
  const { clock, signal } = options;
  const mine = `${hostname()} ${process.pid} ${clock.nowMs()} ${(taken += 1)}`;
  for (;;) {
    signal?.throwIfAborted();
    if (await createExclusively(path, mine)) return holdLock(path, mine, clock);
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    if (isAbandoned(holder, clock.nowMs()) && (await takeAway(path, holder.text, clock))) continue;
    options.onWait?.(holder.text);
    await sleep(clock, retryMs);
  }
}

/**
 * A model's lock, in its folder. `signal` is aborted when the caller's is, or the lock is lost; whoever works under the
 * lock ends with it.
 */
export async function takeLockIn(
  folder: string,
  options: {
    readonly clock: Clock;
    readonly signal: AbortSignal | undefined;
    readonly onWait: (holder: string) => void;
  },
): Promise<{ readonly signal: AbortSignal; release(): Promise<void> }> {
  const { signal, ...rest } = options;
  const lock = await takeLock(join(folder, "lock"), { ...rest, ...(signal === undefined ? {} : { signal }) });
  return {
    signal: AbortSignal.any(signal === undefined ? [lock.lost] : [lock.lost, signal]),
    release: () => lock.release(),
  };
}

async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

interface Holder {
  readonly text: string;
  readonly seenMs: number;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    return { text, seenMs: mtimeMs };
  } catch (error) {
    // Released between our two looks at it.
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isAbandoned(holder: Holder, nowMs: number): boolean {
  if (nowMs - holder.seenMs > abandonedMs) return true;
  const [host, pid] = holder.text.split(" ");
  const number = Number(pid);
  // An empty text is a lock in the moment of its creation; its age decides.
  if (host !== hostname() || !Number.isInteger(number) || number <= 0) return false;
  try {
    process.kill(number, 0);
    return false;
  } catch (error) {
    // EPERM is a process that lives and belongs to another user.
    return isCode(error, "ESRCH");
  }
}

/**
 * Removes an abandoned lock. Two may find the same one abandoned, and the slower must not remove the faster one's new
 * lock: whoever removes holds a guard, and looks again once it does. False where another holds the guard.
 */
async function takeAway(path: string, expected: string, clock: Clock): Promise<boolean> {
  const guard = `${path}.takeover`;
  if (!(await createExclusively(guard, expected))) {
    const held = await readHolder(guard);
    // The guard is held for a few system calls; one this old was left by a crash within them.
    if (held !== undefined && clock.nowMs() - held.seenMs > abandonedMs) await rm(guard, { force: true });
    return false;
  }
  try {
    const holder = await readHolder(path);
    if (holder?.text === expected && isAbandoned(holder, clock.nowMs())) await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

function holdLock(path: string, mine: string, clock: Clock): Lock {
  const lost = new AbortController();
  const isMine = async () => (await readHolder(path))?.text === mine;
  const beat = async () => {
    if (!(await isMine())) {
      lost.abort(new Error("Another process took over the lock of this model; this one was silent for too long."));
      return;
    }
    const now = new Date(clock.nowMs());
    await utimes(path, now, now);
  };
  const cancel = clock.every(heartbeatMs, () => {
    beat().catch((error: unknown) => lost.abort(error));
  });
  return {
    lost: lost.signal,
    async release() {
      cancel();
      if (await isMine()) await rm(path, { force: true });
    },
  };
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
