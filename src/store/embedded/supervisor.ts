import type { Cancel, Clock } from "../../base/index.ts";
import type { Log } from "../log.ts";
import { type Postmaster, type PostmasterOptions, startPostmaster } from "./postmaster.ts";
import { stopStalePostmaster } from "./stale.ts";

/** `failed` never lasts: a PostgreSQL that ends is started again, with growing pauses, until it is stopped. */
export type PostgresState =
  | { readonly phase: "starting" }
  | { readonly phase: "ready" }
  | { readonly phase: "restarting"; readonly reason: string; readonly attempt: number }
  | { readonly phase: "stopped" };

export interface SupervisorOptions extends Omit<PostmasterOptions, "line"> {
  readonly log: Log;
  /** Called at each change of state. */
  readonly onState?: (state: PostgresState) => void;
  /** After a crash PostgreSQL replays its log before it is ready; on a slow disk that takes minutes. */
  readonly readyLimitMs: number;
  readonly fastStopMs: number;
  readonly immediateStopMs: number;
}

const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** Once it has run this long a further crash is a new one, and the pauses start over. */
const settledMs = 30_000;
const keptLines = 20;

export interface Supervisor {
  state(): PostgresState;
  stop(): Promise<void>;
}

/** Starts PostgreSQL and keeps it running. Rejects where the first start fails: that is for the operator to see. */
export async function supervise(options: SupervisorOptions): Promise<Supervisor> {
  const supervision = new Supervision(options);
  await supervision.start();
  return supervision;
}

class Supervision implements Supervisor {
  readonly #options: SupervisorOptions;
  readonly #clock: Clock;
  #state: PostgresState = { phase: "starting" };
  #postmaster: Postmaster | undefined;
  #stopping = false;
  /** Cuts a pause before a restart short. */
  #wake: Cancel = () => {};
  #watching: Promise<void> = Promise.resolve();
  #lines: string[] = [];

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  state(): PostgresState {
    return this.#state;
  }

  async start(): Promise<void> {
    await this.#launch();
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#end();
    await this.#watching;
    // A restart that was under way may have brought up another one meanwhile.
    await this.#end();
    this.#enter({ phase: "stopped" });
  }

  async #end(): Promise<void> {
    await this.#postmaster?.stop(this.#options.fastStopMs, this.#options.immediateStopMs);
  }

  async #launch(): Promise<void> {
    const { cluster, clock, fastStopMs, immediateStopMs, log } = this.#options;
    const stale = await stopStalePostmaster({ cluster, clock, fastMs: fastStopMs, immediateMs: immediateStopMs });
    if (stale !== "none") log("info", `An earlier PostgreSQL was found on ${cluster}: ${stale}.`);
    this.#lines = [];
    const postmaster = await startPostmaster({ ...this.#options, line: (text) => this.#hear(text) });
    this.#postmaster = postmaster;
    if (this.#stopping) return;
    try {
      await postmaster.ready(this.#options.readyLimitMs);
    } catch (error) {
      await postmaster.stop(fastStopMs, immediateStopMs);
      throw new Error([(error as Error).message, ...this.#lines].join("\n"), { cause: error });
    }
    this.#enter({ phase: "ready" });
  }

  /** Waits for the end that is not meant to come, and starts again. */
  async #watch(): Promise<void> {
    let attempt = 0;
    while (!this.#stopping) {
      const startedMs = this.#clock.monotonicMs();
      const how = await this.#postmaster?.ended;
      if (this.#stopping) return;
      if (this.#clock.monotonicMs() - startedMs > settledMs) attempt = 0;
      attempt += 1;
      await this.#pauseBeforeRestart(`PostgreSQL ended by itself (${how}).`, attempt);
      if (this.#stopping) return;
      try {
        await this.#launch();
      } catch (error) {
        // The postmaster of the failed start has ended: the next turn of the loop sees that, pauses and tries again.
        this.#options.log("error", `PostgreSQL did not restart: ${(error as Error).message}`);
      }
    }
  }

  async #pauseBeforeRestart(reason: string, attempt: number): Promise<void> {
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt - 1, 10));
    this.#options.log("error", `${reason} Starting it again in ${pauseMs} ms.`);
    this.#enter({ phase: "restarting", reason, attempt });
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(pauseMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  #hear(text: string): void {
    this.#lines.push(text);
    if (this.#lines.length > keptLines) this.#lines.shift();
    this.#options.log(/^(FATAL|PANIC):/.test(text) ? "warn" : "debug", `postgres: ${text}`);
  }

  #enter(state: PostgresState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
