/** Time as a parameter: what reads a clock or waits is handed one of these, so that tests need no sleeps. */
export interface Clock {
  /** Wall-clock milliseconds since 1970-01-01 UTC. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start that never go backwards; for durations. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, run: () => void): Cancel;
  /** Calls `run` every `intervalMs` until cancelled. The timer alone does not keep the process alive. */
  every(intervalMs: number, run: () => void): Cancel;
}

export type Cancel = () => void;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs, run) {
    const timer = setInterval(run, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Resolves after `delayMs` on the given clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve));
}

/** A clock that stands still until told; timers run in order of their time when it is advanced. */
export class ManualClock implements Clock {
  #nowMs: number;
  #timers: { atMs: number; everyMs: number | undefined; run: () => void }[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }
  nowMs(): number {
    return this.#nowMs;
  }
  monotonicMs(): number {
    return this.#nowMs;
  }
  after(delayMs: number, run: () => void): Cancel {
    return this.#add(delayMs, undefined, run);
  }
  every(intervalMs: number, run: () => void): Cancel {
    return this.#add(intervalMs, intervalMs, run);
  }
  /** Moves time on, running what falls due on the way. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      if (due.everyMs === undefined) this.#timers.splice(this.#timers.indexOf(due), 1);
      else due.atMs += due.everyMs;
      due.run();
    }
    this.#nowMs = endMs;
  }
  #add(delayMs: number, everyMs: number | undefined, run: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, everyMs, run };
    this.#timers.push(timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }
}
