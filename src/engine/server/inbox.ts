/** What a socket delivers and a reader takes; at its end, or after a failure, nothing more comes. */
export class Inbox<Item> {
  readonly #items: Item[] = [];
  #outcome: { readonly error: unknown } | "ended" | undefined;
  #wake: (() => void) | undefined;

  get size(): number {
    return this.#items.length;
  }

  push(item: Item): void {
    if (this.#outcome !== undefined) return;
    this.#items.push(item);
    this.#wake?.();
  }

  end(): void {
    this.#outcome ??= "ended";
    this.#wake?.();
  }

  /** What was delivered before is still taken. */
  fail(error: unknown): void {
    this.#outcome ??= { error };
    this.#wake?.();
  }

  /** Fails at once: what nobody has taken yet is gone. */
  cut(error: unknown): void {
    this.#items.length = 0;
    this.#outcome = { error };
    this.#wake?.();
  }

  /** The next item; undefined at the end. */
  async take(): Promise<Item | undefined> {
    while (this.#items.length === 0) {
      if (this.#outcome === "ended") return undefined;
      if (this.#outcome !== undefined) throw this.#outcome.error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = undefined;
    }
    return this.#items.shift();
  }
}
