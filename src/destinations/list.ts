import type { Destination } from "../engine/index.ts";

/** Every destination, ready or not: those that the settings name, and hosts that come and go while others serve. */
export class DestinationList {
  #all: readonly Destination[];

  constructor(all: readonly Destination[]) {
    this.#all = all;
  }

  add(destination: Destination): void {
    this.#all = [...this.#all, destination];
  }

  /** Nothing new goes there; what runs there is not touched. */
  remove(name: string): void {
    this.#all = this.#all.filter((destination) => destination.name !== name);
  }

  get all(): readonly Destination[] {
    return this.#all;
  }

  offering(model: string): readonly Destination[] {
    return this.#all.filter((destination) => destination.offer(model) !== undefined);
  }

  /** Every model on offer, each once. */
  models(): ReadonlySet<string> {
    return new Set(this.#all.flatMap((destination) => [...destination.offers()].map(({ model }) => model)));
  }

  byName(name: string): Destination | undefined {
    return this.#all.find((destination) => destination.name === name);
  }
}
