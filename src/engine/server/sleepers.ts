import type { ModelFile } from "../types.ts";
import type { Serving } from "./serving.ts";

/** Programs whose model is unloaded and whose process is kept, the oldest first; a bounded number of them. */
export class Sleepers {
  readonly #limit: number;
  readonly #asleep = new Map<string, Serving>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Puts a program to sleep. It is ended instead where it does not obey, and the oldest where there are too many. */
  async add(file: ModelFile, serving: Serving): Promise<void> {
    try {
      // What still runs there is broken off; nobody reads it any more.
      await serving.control.order("/sleep?level=1");
    } catch {
      return serving.stop();
    }
    const before = this.#asleep.get(keyOf(file));
    this.#asleep.delete(keyOf(file));
    this.#asleep.set(keyOf(file), serving);
    void serving.program.ended.then(() => this.#forget(file, serving));
    await before?.stop();
    for (const [key, oldest] of this.#asleep) {
      if (this.#asleep.size <= this.#limit) break;
      this.#asleep.delete(key);
      await oldest.stop();
    }
  }

  /** Wakes the model's program; undefined where there is none, or it does not wake. */
  async wake(file: ModelFile): Promise<Serving | undefined> {
    const serving = this.#asleep.get(keyOf(file));
    if (serving === undefined) return undefined;
    this.#asleep.delete(keyOf(file));
    try {
      await serving.control.order("/wake_up");
      return serving;
    } catch {
      await serving.stop();
      return undefined;
    }
  }

  #forget(file: ModelFile, serving: Serving): void {
    if (this.#asleep.get(keyOf(file)) === serving) this.#asleep.delete(keyOf(file));
  }
}

/** The same files under the same name with the same context: what a program was started with. */
function keyOf({ name, path, sha256, contextTokens }: ModelFile): string {
  return JSON.stringify([name, path, sha256, contextTokens]);
}
