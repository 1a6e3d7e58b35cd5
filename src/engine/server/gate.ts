/** What holds a program's computing and lets it go on; each resolves once that is so. */
export interface GateOrders {
  hold(): Promise<void>;
  release(): Promise<void>;
}

/** Brings a program to the state that was asked for last, one order at a time. */
export class Gate {
  readonly #orders: GateOrders;
  readonly #onFailure: (error: unknown) => void;
  #wanted: "running" | "held" = "running";
  #state: "running" | "held" = "running";
  #working: Promise<void> | undefined;

  /** `onFailure`: an order was not obeyed; what the program does now, nobody knows. */
  constructor(orders: GateOrders, onFailure: (error: unknown) => void) {
    this.#orders = orders;
    this.#onFailure = onFailure;
  }

  /** Resolves once it is held, or something else has been asked for and is so. */
  hold(): Promise<void> {
    this.#wanted = "held";
    return this.#work();
  }

  release(): void {
    this.#wanted = "running";
    void this.#work();
  }

  #work(): Promise<void> {
    if (this.#working === undefined && this.#state !== this.#wanted) this.#working = this.#follow();
    return this.#working ?? Promise.resolve();
  }

  async #follow(): Promise<void> {
    while (this.#state !== this.#wanted) {
      const next = this.#wanted;
      try {
        await (next === "held" ? this.#orders.hold() : this.#orders.release());
      } catch (error) {
        this.#onFailure(error);
      }
      this.#state = next;
    }
    // In the turn of the last look: what is asked for from now on is followed anew.
    this.#working = undefined;
  }
}
