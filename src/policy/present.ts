import type { Facts } from "./facts/schema.ts";
import { type Standing, standing } from "./facts/standing.ts";

/** What holds of some facts, found anew when something of them begins or expires. */
export class Present {
  readonly #facts: Facts;
  readonly #nowMs: () => number;
  readonly #onChange: () => void;
  #standing: Standing;
  #sinceMs: number;

  constructor(facts: Facts, nowMs: () => number, onChange: () => void) {
    this.#facts = facts;
    this.#nowMs = nowMs;
    this.#onChange = onChange;
    this.#sinceMs = nowMs();
    this.#standing = standing(facts, this.#sinceMs);
  }

  standing(): Standing {
    const atMs = this.#nowMs();
    // A clock can be set back: what held then is found anew as well.
    if (atMs >= this.#sinceMs && atMs < this.#standing.changesAtMs) return this.#standing;
    const then = standing(this.#facts, atMs);
    if (then.id !== this.#standing.id) this.#onChange();
    this.#standing = then;
    this.#sinceMs = atMs;
    return then;
  }
}
