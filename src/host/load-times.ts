import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const kept = z.record(z.string(), z.number().positive());

/** How much the latest load of a model says of its next one. */
const latestWeight = 0.5;
/** Further off no estimate is taken to be. */
const factorMax = 64;

export interface Loadable {
  readonly name: string;
  /** What makes a load what it is: the engine's build, the file, the context. */
  readonly key: string;
  /** What can be said without having seen one. */
  readonly estimateMs: number;
}

/**
 * How long models take to load here. An estimate from a file's size knows nothing of what an engine does besides reading it,
 * and whoever waits for a model would be promised too much. So what was seen counts, at earlier starts too; of a model that
 * was never loaded, by how much the others' estimates were off.
 */
export class LoadTimes {
  readonly #path: string;
  readonly #models: ReadonlyMap<string, Loadable>;
  /** By key. */
  readonly #seenMs = new Map<string, number>();

  /** `folder` is there. */
  constructor(folder: string, models: readonly Loadable[]) {
    this.#path = join(folder, "load-times.json");
    this.#models = new Map(models.map((model) => [model.name, model]));
    const before = readKept(this.#path);
    for (const { key } of models) if (before[key] !== undefined) this.#seenMs.set(key, before[key]);
  }

  guessMs(model: string): number {
    const { key, estimateMs } = this.#models.get(model)!;
    return this.#seenMs.get(key) ?? estimateMs * this.#factor();
  }

  took(model: string, durationMs: number): void {
    const { key } = this.#models.get(model)!;
    const before = this.#seenMs.get(key) ?? durationMs;
    this.#seenMs.set(key, Math.max(1, before + latestWeight * (durationMs - before)));
    try {
      writeFileSync(this.#path, JSON.stringify(Object.fromEntries(this.#seenMs)));
    } catch {
      // A full disk: the next start guesses again, and nobody is kept from what is loaded now.
    }
  }

  /** By what estimates are off: the mean over those that were held against a load, where twice and half cancel out. */
  #factor(): number {
    const estimatesMs = new Map([...this.#models.values()].map(({ key, estimateMs }) => [key, estimateMs]));
    const logarithms = [...this.#seenMs].map(([key, seenMs]) => Math.log(seenMs / estimatesMs.get(key)!));
    const mean = logarithms.reduce((sum, each) => sum + each, 0) / Math.max(1, logarithms.length);
    return Math.min(factorMax, Math.max(1 / factorMax, Math.exp(mean)));
  }
}

function readKept(path: string): Readonly<Record<string, number>> {
  try {
    return kept.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // The first start, or another version's: loads are seen anew.
    return {};
  }
}
