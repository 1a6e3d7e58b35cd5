/** Something whose bytes leave at the end of a step. */
export interface Leaving {
  leave(): void;
}

/**
 * Lets everything that one turn of the event loop has computed leave together: first `before` (the counts are handed
 * to the kernel), then each answer's bytes in one write. So no client holds a token that a crash would uncount, and
 * tokens that come together cost one system call.
 */
export class Outbox {
  readonly #before: () => void;
  #leaving = new Set<Leaving>();
  #isScheduled = false;

  constructor(before: () => void) {
    this.#before = before;
  }

  readonly schedule = (): void => {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After everything that this turn has brought: all sequences of a decode step, all requests that came in.
    setImmediate(() => this.#run());
  };

  add(leaving: Leaving): void {
    this.#leaving.add(leaving);
    this.schedule();
  }

  #run(): void {
    this.#isScheduled = false;
    this.#before();
    const leaving = this.#leaving;
    this.#leaving = new Set();
    for (const each of leaving) each.leave();
  }
}
