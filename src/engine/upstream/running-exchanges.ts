import type { Exchange } from "./exchange.ts";

/** Exchanges that are over and may still be held. */
const spare = 8;

/** The exchanges that run at one destination, so that a stop can end them in words. */
export class RunningExchanges {
  #all: Exchange[] = [];

  add(exchange: Exchange): Exchange {
    this.#all.push(exchange);
    return exchange;
  }

  /** One has ended, and `running` are left. Looking for those that are over costs each exchange a bounded share. */
  ended(running: number): void {
    if (this.#all.length > 2 * running + spare) this.#all = this.#all.filter(({ over }) => !over);
  }

  cut(reason: Error): void {
    for (const exchange of this.#all.splice(0)) exchange.abort(reason);
  }
}
