import { type ChildProcess, spawn } from "node:child_process";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Cancel, Clock } from "../base/index.ts";
import { Address } from "../engine/index.ts";
import { type HostHello, hostProtocol, type HostSettings } from "../host/index.ts";

export type HostState =
  | { readonly phase: "starting" }
  | { readonly phase: "ready"; readonly hello: HostHello }
  | { readonly phase: "restarting"; readonly reason: string; readonly inMs: number }
  | { readonly phase: "stopped" };

export interface StartHostOptions {
  readonly settings: Omit<HostSettings, "boot" | "socketPath">;
  /** A short path: a socket's name holds 107 bytes at most. */
  readonly socketFolder: string;
  /** What the child may see of the environment; UV_THREADPOOL_SIZE is added. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onState: (state: HostState, socketPath: string) => void;
  readonly onLine: (line: string) => void;
}

export interface HostProcess {
  readonly pid: number | undefined;
  readonly state: HostState;
  /** Lets what runs end within its bound, then ends the process. */
  stop(): Promise<void>;
}

const firstBackoffMs = 100;
const lastBackoffMs = 10_000;
const healthyMs = 60_000;
const helloEveryMs = 50;
const leaseEveryMs = 1_000;
const lineBytes = 4_096;

/** Starts a host and keeps it running until it is stopped. */
export function startHost(options: StartHostOptions): HostProcess {
  return new SupervisedHost(options);
}

class SupervisedHost implements HostProcess {
  readonly #options: StartHostOptions;
  #state: HostState = { phase: "starting" };
  #child: ChildProcess | undefined;
  #boots = 0;
  #backoffMs = firstBackoffMs;
  #stopping = false;
  #cancelRestart: Cancel = () => undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: StartHostOptions) {
    this.#options = options;
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }
  get state(): HostState {
    return this.#state;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelRestart();
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      const cancel = this.#options.clock.after(this.#options.settings.drainMs + 5_000, () => child.kill("SIGKILL"));
      await this.#ended;
      cancel();
    }
    this.#set({ phase: "stopped" }, "");
  }

  #spawn(): void {
    const { clock, settings, environment } = this.#options;
    const boot = `${clock.nowMs().toString(36)}-${this.#boots++}`;
    const socketPath = join(this.#options.socketFolder, `host-${boot}.sock`);
    const startedMs = clock.monotonicMs();
    const extension = extname(fileURLToPath(import.meta.url));
    const program = fileURLToPath(new URL(`../host/process${extension}`, import.meta.url));
    const child = spawn(process.execPath, [program], {
      // A group of its own, so that the terminal's signals reach the parent only.
      detached: true,
      stdio: ["pipe", "ignore", "pipe"],
      env: { ...environment, UV_THREADPOOL_SIZE: "1" },
    });
    this.#child = child;
    const full: HostSettings = { ...settings, boot, socketPath };
    child.stdin.on("error", () => child.kill("SIGKILL"));
    child.stdin.write(`${JSON.stringify(full)}\n`);
    createInterface({ input: child.stderr }).on("line", (line) => this.#options.onLine(line.slice(0, lineBytes)));
    const address = new Address({
      url: "http://host",
      socketPath,
      connections: 1,
      connectTimeoutMs: 1_000,
      firstByteTimeoutMs: 5_000,
      idleTimeoutMs: 5_000,
    });
    const cancelWatch = this.#watch(address, child, socketPath);
    this.#ended = new Promise((resolve) => {
      let over = false;
      const end = (reason: string): void => {
        if (over) return;
        over = true;
        cancelWatch();
        void address.destroy();
        this.#restart(reason, clock.monotonicMs() - startedMs);
        resolve();
      };
      child.once("exit", (code, signal) => end(signal === null ? `it ended with ${code}` : `it ended by ${signal}`));
      child.once("error", (error) => end(error.message));
    });
  }

  /** Asks for its hello until it has one, then renews its lease. */
  #watch(address: Address, child: ChildProcess, socketPath: string): Cancel {
    const { clock, settings } = this.#options;
    let cancelled = false;
    let cancelNext: Cancel = () => undefined;
    const lease = async (): Promise<boolean> => {
      const body = { seconds: settings.leaseSeconds };
      return (await address.json("POST", "/host/v1/lease", { body })).status === 200;
    };
    const hello = async (): Promise<HostHello | undefined> => {
      const { status, value } = await address.json("GET", "/host/v1/hello");
      return status === 200 ? (value as HostHello) : undefined;
    };
    const step = async (): Promise<number> => {
      if (this.#state.phase === "ready") {
        await lease();
        return leaseEveryMs;
      }
      const said = await hello();
      if (said === undefined) return helloEveryMs;
      if (said.protocol !== hostProtocol) {
        child.kill("SIGKILL");
        return leaseEveryMs;
      }
      if (await lease()) this.#set({ phase: "ready", hello: said }, socketPath);
      return leaseEveryMs;
    };
    const loop = (): void => {
      step()
        // Not listening yet, or busy: it is asked again; a host that is gone says so by its exit.
        .catch(() => (this.#state.phase === "ready" ? leaseEveryMs : helloEveryMs))
        .then((inMs) => {
          if (!cancelled) cancelNext = clock.after(inMs, loop);
        })
        .catch((error: unknown) => this.#options.onLine(String(error)));
    };
    loop();
    return () => {
      cancelled = true;
      cancelNext();
    };
  }

  #restart(reason: string, livedMs: number): void {
    if (this.#stopping) return;
    if (livedMs > healthyMs) this.#backoffMs = firstBackoffMs;
    const inMs = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, lastBackoffMs);
    this.#set({ phase: "restarting", reason, inMs }, "");
    this.#cancelRestart = this.#options.clock.after(inMs, () => {
      this.#set({ phase: "starting" }, "");
      this.#spawn();
    });
  }

  #set(state: HostState, socketPath: string): void {
    this.#state = state;
    this.#options.onState(state, socketPath);
  }
}
