import { hash } from "node:crypto";

/** 4 words of an id's digest, then 2 of its body's. */
const words = 6;
const firstSlots = 64;
const shards = 256;
/** 3.5 GB of them at most. */
const idsMost = 50_000_000;

export type Seen = "first" | "again" | "differs";

/**
 * Which ids have been told, and with what: 128 bits of SHA-256 of each, which no two ids share, and 64 of its body, in
 * tables of numbers outside the heap. An id takes 34 to 69 bytes, however long it is.
 */
export class Once {
  readonly #tables = Array.from({ length: shards }, () => new Table());
  /** Of the id that is being told. */
  readonly #entry = new Uint32Array(words);
  #size = 0;

  /** Throws a `RangeError` where there are too many ids to remember. */
  tell(source: string, id: string, body: string): Seen {
    // With its length, so that no source runs over into an id. As texts: a buffer for each takes twice the time.
    const idDigest = hash("sha256", `${source.length}:${source}${id}`, "binary");
    const bodyDigest = hash("sha256", body, "binary");
    for (let word = 0; word < 4; word++) this.#entry[word] = wordOf(idDigest, word);
    for (let word = 0; word < 2; word++) this.#entry[4 + word] = wordOf(bodyDigest, word);
    // An empty slot begins with 0.
    this.#entry[0] ||= 1;
    const seen = this.#tables[idDigest.charCodeAt(31)]!.tell(this.#entry);
    if (seen === "first" && ++this.#size > idsMost) throw new RangeError(`there are more than ${idsMost} ids`);
    return seen;
  }
}

/** Open addressing: an id is where its digest points, or in the next free slot behind. */
class Table {
  #slots = new Uint32Array(firstSlots * words);
  #used = 0;

  tell(entry: Uint32Array): Seen {
    const at = this.#find(this.#slots, entry);
    if (this.#slots[at] !== 0)
      return this.#slots[at + 4] === entry[4] && this.#slots[at + 5] === entry[5] ? "again" : "differs";
    this.#slots.set(entry, at);
    if (++this.#used * words * 10 > this.#slots.length * 7) this.#grow();
    return "first";
  }

  #find(slots: Uint32Array, entry: Uint32Array): number {
    const count = slots.length / words;
    for (let slot = entry[0]! % count; ; slot = (slot + 1) % count) {
      const at = slot * words;
      if (slots[at] === 0) return at;
      if (
        entry[0] === slots[at] &&
        entry[1] === slots[at + 1] &&
        entry[2] === slots[at + 2] &&
        entry[3] === slots[at + 3]
      )
        return at;
    }
  }

  #grow(): void {
    const larger = new Uint32Array(this.#slots.length * 2);
    for (let at = 0; at < this.#slots.length; at += words) {
      const entry = this.#slots.subarray(at, at + words);
      if (entry[0] !== 0) larger.set(entry, this.#find(larger, entry));
    }
    this.#slots = larger;
  }
}

/** Four characters of a digest's text, one byte each. */
function wordOf(digest: string, word: number): number {
  const at = word * 4;
  const low = digest.charCodeAt(at) | (digest.charCodeAt(at + 1) << 8);
  return (low | (digest.charCodeAt(at + 2) << 16) | (digest.charCodeAt(at + 3) << 24)) >>> 0;
}
