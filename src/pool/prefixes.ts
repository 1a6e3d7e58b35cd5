import { createHash } from "node:crypto";

/** Beginnings of so many bytes are told apart: 1 KiB, some 250 tokens, to 64 KiB. Shorter ones are computed in no time. */
const lengthsBytes = [1, 2, 4, 8, 16, 32, 64].map((kibibytes) => kibibytes * 1_024);
/** A beginning that more places know is news of the latest. */
const placesMax = 4;

/** What a prompt begins with, the shortest first: each a digest of a request's first bytes. */
export type Beginnings = readonly string[];

/**
 * A conversation's next request begins as its last one did, and so do all that share instructions. Bytes of a request are
 * taken for its prompt: whoever writes the same again writes it in the same order.
 */
export function beginningsOf(bytes: Buffer): Beginnings {
  const digest = createHash("sha1");
  let from = 0;
  return lengthsBytes
    .filter((length) => length <= bytes.length)
    .map((length) => {
      digest.update(bytes.subarray(from, length));
      from = length;
      return digest.copy().digest("base64");
    });
}

/**
 * Which places have computed which beginnings of late, by tenant and model: caches are each tenant's own. So many are known, and
 * the longest unused are forgotten.
 */
export class Prefixes {
  readonly #kept: number;
  /** Names of places, the latest last. */
  readonly #places = new Map<string, readonly string[]>();

  constructor(kept = 16_384) {
    this.#kept = kept;
  }

  /** Those that know the longest beginning that anybody knows; none: nobody does. */
  knowing(tenant: string, model: string, beginnings: Beginnings): readonly string[] {
    for (const beginning of beginnings.toReversed()) {
      const places = this.#places.get(keyOf(tenant, model, beginning));
      if (places !== undefined) return places;
    }
    return [];
  }

  sent(tenant: string, model: string, beginnings: Beginnings, place: string): void {
    for (const beginning of beginnings) {
      const key = keyOf(tenant, model, beginning);
      const known = (this.#places.get(key) ?? []).filter((each) => each !== place);
      this.#places.delete(key);
      this.#places.set(key, [...known, place].slice(-placesMax));
    }
    for (const key of this.#places.keys()) {
      if (this.#places.size <= this.#kept) return;
      this.#places.delete(key);
    }
  }

  /** The tenant's caches are gone. */
  forget(tenant: string): void {
    for (const key of this.#places.keys()) if (key.startsWith(`${tenant}\n`)) this.#places.delete(key);
  }
}

function keyOf(tenant: string, model: string, beginning: string): string {
  return `${tenant}\n${beginning}${model}`;
}
