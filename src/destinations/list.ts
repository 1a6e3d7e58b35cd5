import type { Destination } from "../engine/index.ts";

/** Every destination that the settings name, ready or not. */
export class DestinationList {
  readonly #all: readonly Destination[];

  constructor(all: readonly Destination[]) {
    this.#all = all;
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
