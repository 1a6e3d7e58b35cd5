import { type ChildProcess, spawn } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Cancel, Clock } from "../base/index.ts";
import type { HostHello, HostPool, HostReservation, HostSettings } from "../host/index.ts";
import { readLines } from "./lines.ts";
import { watch } from "./watch.ts";

export type HostState =
  | { readonly phase: "starting" }
  | { readonly phase: "ready"; readonly hello: HostHello }
  /** It was not heard for as long as its lease: what runs there is lost. It is `ready` again, or started again. */
  | { readonly phase: "silent" }
  /** `failures`: starts in a row that did not last a minute; `reason`: how it ended and the last that it wrote. */
  | { readonly phase: "restarting"; readonly reason: string; readonly inMs: number; readonly failures: number }
  | { readonly phase: "stopped" };

export interface StartHostOptions {
  readonly settings: Omit<HostSettings, "boot" | "environment" | "socketPath" | "threadPoolSize">;
  /** A short path: a socket's name holds 107 bytes at most (103 on macOS). */
  readonly socketFolder: string;
  /** What the child may see of the environment; UV_THREADPOOL_SIZE and our own compile cache are added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Whether another machine's gateway holds the lease; without it a host takes nothing new. */
  readonly isLeasedElsewhere?: boolean;
  /** `socketPath` is where the host listens in phase `ready`, and empty otherwise. */
  readonly onState: (state: HostState, socketPath: string) => void;
  /** What is reserved now and concerns it; asked every second. */
  readonly reservations?: () => readonly HostReservation[];
  /** What its device does, every second while it is ready. */
  readonly onPool?: (pool: HostPool) => void;
  /** What the host writes: lines of JSON (level, message, fields), and whatever its native libraries print. */
  readonly onLine: (line: string) => void;
}

export interface HostProcess {
  readonly pid: number | undefined;
  readonly state: HostState;
  /** Lets what runs end within the settings' `drainMs`, then ends the process; also while it restarts. */
  stop(): Promise<void>;
}

const firstBackoffMs = 100;
const lastBackoffMs = 10_000;
/** A start that lasted this long was no failure. */
const healthyMs = 60_000;
/** Time for a host to cut off what has not ended in time, and to close. */
const closingMs = 5_000;
const lineBytes = 4_096;
const socketPathBytes = 103;

/**
 * node-llama-cpp 3.21.1 mixes the tokens of concurrent sequences up with more than one thread in libuv's pool; the
 * engine refuses to open without this.
 */
const threadPoolSize = "1";

/** Starts a host and keeps it running until it is stopped. Throws where the socket's path would be too long. */
export function startHost(options: StartHostOptions): HostProcess {
  return new SupervisedHost(options);
}

class SupervisedHost implements HostProcess {
  readonly #options: StartHostOptions;
  #state: HostState = { phase: "starting" };
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #boots = 0;
  #failures = 0;
  #isStopping = false;
  #lastLine = "";
  #cancelRestart: Cancel = () => undefined;

  constructor(options: StartHostOptions) {
    this.#options = options;
    this.#start();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get state(): HostState {
    return this.#state;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#cancelRestart();
    const child = this.#child;
    if (child !== undefined) {
      child.kill("SIGTERM");
      const { clock, settings } = this.#options;
      const cancel = clock.after(settings.drainMs + closingMs, () => child.kill("SIGKILL"));
      await this.#exited;
      cancel();
    }
    if (this.#state.phase !== "stopped") this.#set({ phase: "stopped" });
  }

  #start(): void {
    const { clock, settings, socketFolder } = this.#options;
    // Sorts by time: what a later start has recorded holds over what an earlier one has.
    const boot = `${clock.nowMs().toString(36).padStart(9, "0")}-${String(this.#boots++).padStart(6, "0")}`;
    const socketPath = join(socketFolder, `host-${boot}.sock`);
    if (Buffer.byteLength(socketPath) > socketPathBytes) throw new RangeError(`too long for a socket: ${socketPath}`);
    const startedMs = clock.monotonicMs();
    const { environment } = this.#options;
    const child = this.#spawn({ ...settings, boot, environment, socketPath, threadPoolSize });
    this.#child = child;
    const cancelWatch = watch({
      clock,
      socketPath,
      leaseSeconds: settings.leaseSeconds,
      isLeasedElsewhere: this.#options.isLeasedElsewhere ?? false,
      reservations: () => this.#options.reservations?.() ?? [],
      onPool: (pool) => this.#options.onPool?.(pool),
      onReady: (hello) => this.#set({ phase: "ready", hello }, socketPath),
      onSilent: () => this.#set({ phase: "silent" }),
      onLost: (reason) => {
        this.#lastLine = reason;
        child.kill("SIGKILL");
      },
    });
    this.#exited = new Promise((resolve) => {
      const ended = (reason: string): void => {
        // A program that could not be spawned has an error and no exit.
        if (this.#child !== child) return;
        this.#child = undefined;
        cancelWatch();
        if (!this.#isStopping) this.#restart(reason, clock.monotonicMs() - startedMs);
        resolve();
      };
      child.once("close", (code, signal) => ended(signal === null ? `ended with ${code}` : `ended by ${signal}`));
      child.once("error", (error) => ended(error.message));
    });
  }

  #spawn(settings: HostSettings): ChildProcess {
    const { environment, onLine } = this.#options;
    const program = fileURLToPath(new URL(`../host/process${extname(import.meta.url)}`, import.meta.url));
    const child = spawn(process.execPath, [program], {
      // A group of its own, so that the terminal's signals reach the parent only.
      detached: true,
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...environment, ...compileCache(), UV_THREADPOOL_SIZE: threadPoolSize },
    });
    readLines(child.stderr, lineBytes, (line) => {
      this.#lastLine = line;
      onLine(line);
    });
    // A child that is gone before it has read its settings says so by its exit.
    child.stdin.on("error", () => child.stdin.destroy());
    // The pipe stays open: its end tells the child that its parent is gone.
    child.stdin.write(`${JSON.stringify(settings)}\n`);
    return child;
  }

  #restart(how: string, livedMs: number): void {
    this.#failures = livedMs > healthyMs ? 1 : this.#failures + 1;
    const inMs = Math.min(lastBackoffMs, firstBackoffMs * 2 ** (this.#failures - 1));
    const reason = this.#lastLine === "" ? how : `${how}: ${this.#lastLine}`;
    this.#lastLine = "";
    this.#set({ phase: "restarting", reason, inMs, failures: this.#failures });
    // Whoever heard of it may have stopped the host.
    if (this.#isStopping) return;
    this.#cancelRestart = this.#options.clock.after(inMs, () => {
      this.#set({ phase: "starting" });
      this.#start();
    });
  }

  #set(state: HostState, socketPath = ""): void {
    this.#state = state;
    this.#options.onState(state, socketPath);
  }
}

/** Where this process keeps what Node has compiled; Node puts a folder for its version below the one that it is given. */
function compileCache(): Readonly<Record<string, string>> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
