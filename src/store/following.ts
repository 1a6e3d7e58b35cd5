import type { Cancel, Clock } from "../base/index.ts";

export interface FollowingOptions {
  readonly clock: Clock;
  readonly everyMs: number;
  /** Reads what has changed. */
  readonly read: () => Promise<void>;
  /** Hears of the first failure of a row of them; of none after `stop`. */
  readonly onFailure: (error: unknown) => void;
}

/** Keeps up with the database: one question at a time, every so often, and at once after a change of our own. */
export class Following {
  readonly #options: FollowingOptions;
  #asking: Promise<void> | undefined;
  #hasFailed = false;
  #isStopped = false;
  #cancel: Cancel = () => undefined;

  constructor(options: FollowingOptions) {
    this.#options = options;
  }

  /** Asks for the first time, and from then on; rejects where that first question fails, and follows nothing then. */
  async start(): Promise<void> {
    await this.#ask();
    const { clock, everyMs } = this.#options;
    this.#cancel = clock.every(everyMs, () => {
      if (this.#asking === undefined) void this.#askAndReport();
    });
  }

  /** A question that was asked before a change may miss it, so another follows. Its failure is the asker's. */
  async refresh(): Promise<void> {
    await this.settled();
    await this.#ask();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  /** Resolves once the question that may be under way is over, however it ended: its failure is told to who asked it. */
  async settled(): Promise<void> {
    await this.#asking?.catch(() => undefined);
  }

  /** Who asks while a question is under way waits for that one. */
  #ask(): Promise<void> {
    this.#asking ??= this.#options.read().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #askAndReport(): Promise<void> {
    try {
      await this.#ask();
      this.#hasFailed = false;
    } catch (error) {
      // A question that was under way may find the connection closed: that is how it was meant.
      if (!this.#hasFailed && !this.#isStopped) this.#options.onFailure(error);
      this.#hasFailed = true;
    }
  }
}
