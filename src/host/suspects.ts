import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Log } from "./log.ts";

const record = z.strictObject({ model: z.string(), deaths: z.int().nonnegative(), atMs: z.number() });

/** How long a model at whose loading the process ended is not tried again; doubled each time, up to the last. */
const firstRestMs = 10_000;
const lastRestMs = 600_000;

/**
 * Remembers over the end of this process which model was being loaded when it ended: a file that crashes or hangs the
 * engine would else take the host down again and again, and all other models with it.
 */
export class Suspects {
  readonly #path: string;
  readonly #log: Log;
  /** Whether the file could not be written or removed when that was last tried. */
  #isUnwritable = false;
  readonly #nowMs: () => number;
  readonly #deaths = new Map<string, { readonly deaths: number; readonly untilMs: number }>();

  /** `folder` is there. `nowMs`: the wall clock, which goes on while no process does. */
  constructor(folder: string, nowMs: () => number, log: Log) {
    this.#log = log;
    this.#path = join(folder, "loading.json");
    this.#nowMs = nowMs;
    const left = readRecord(this.#path);
    if (left === undefined) return;
    const deaths = left.deaths + 1;
    const untilMs = left.atMs + Math.min(lastRestMs, firstRestMs * 2 ** (deaths - 1));
    this.#deaths.set(left.model, { deaths, untilMs });
  }

  /** How long it is left alone from now on, because loading it has ended this process; 0: it is not. */
  restMs(model: string): number {
    return Math.max(0, (this.#deaths.get(model)?.untilMs ?? 0) - this.#nowMs());
  }

  /**
   * Loading begins, remembered or not. A disk that takes nothing more is likely, a file that takes the process down is
   * rare: were the load refused, a full disk would stop every model for fear of that one. Without the mark such a file
   * takes the process down at each start, with fabric's growing pauses between them, until there is room to remember it.
   */
  begin(model: string): void {
    const deaths = this.#deaths.get(model)?.deaths ?? 0;
    this.#change(() => writeFileSync(this.#path, JSON.stringify({ model, deaths, atMs: this.#nowMs() })));
  }

  /** It has ended, and the process has not. A mark that stays costs the model a rest, should the process end later. */
  end(model: string, isThere: boolean): void {
    if (isThere) this.#deaths.delete(model);
    this.#change(() => rmSync(this.#path, { force: true }));
  }

  /** What keeps the file from being changed is told once, until it has been. */
  #change(change: () => void): void {
    try {
      change();
      this.#isUnwritable = false;
    } catch (error) {
      if (!this.#isUnwritable) {
        const { code = String(error) } = error as NodeJS.ErrnoException;
        this.#log("warn", "which model is being loaded cannot be written down", { path: this.#path, error: code });
      }
      this.#isUnwritable = true;
    }
  }
}

function readRecord(path: string): z.infer<typeof record> | undefined {
  try {
    return record.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // There is none, or it was cut short: then nothing is known.
    return undefined;
  }
}
