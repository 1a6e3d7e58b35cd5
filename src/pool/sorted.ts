/** Items in an order that never calls two of them equal. What it takes to find one grows with the logarithm of their number. */
export class Sorted<Item> implements Iterable<Item> {
  readonly #compare: (a: Item, b: Item) => number;
  #items: Item[] = [];

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  get last(): Item | undefined {
    return this.#items.at(-1);
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    this.#items.splice(this.#placeOf(item), 0, item);
  }

  /** Whether it was there. What its place depends on must not have changed since it was added. */
  delete(item: Item): boolean {
    const at = this.#placeOf(item);
    if (this.#items[at] !== item) return false;
    this.#items.splice(at, 1);
    return true;
  }

  #placeOf(item: Item): number {
    let low = 0;
    let high = this.#items.length;
    // What comes last belongs there most often.
    if (high > 0 && this.#compare(this.#items[high - 1]!, item) < 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#items[middle]!, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
