import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Result, Row } from "./row.ts";

export interface Kept {
  readonly row: Row;
  readonly result: Result;
  /** How long it ran. */
  readonly tookMs: number;
}

/** Results by their keys, a file each, before those of the published page: what is there need not run again. */
export class Cache {
  readonly #folder: string;
  readonly #published: ReadonlyMap<string, Kept>;

  constructor(folder: string, published: ReadonlyMap<string, Kept> = new Map()) {
    this.#folder = folder;
    this.#published = published;
    mkdirSync(folder, { recursive: true });
  }

  read(key: string): Kept | undefined {
    return this.#readFile(key) ?? this.#published.get(key);
  }

  /** Undefined: not there, or cut off by a kill. */
  #readFile(key: string): Kept | undefined {
    try {
      return JSON.parse(readFileSync(this.#path(key), "utf8")) as Kept;
    } catch (error) {
      const isAbsent = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (isAbsent || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  write(key: string, kept: Kept): void {
    const path = this.#path(key);
    writeFileSync(`${path}.new`, `${JSON.stringify(kept, null, 1)}\n`);
    renameSync(`${path}.new`, path);
  }

  #path(key: string): string {
    return join(this.#folder, `${key}.json`);
  }
}
