import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/index.ts";
import { writeWhole } from "../installation/index.ts";
import type { LogResource } from "./showing.ts";

export interface TimestampsOptions {
  readonly clock: Clock;
  /** Has an authority say when these bytes were there; rejects where it does not. What it resolves with is its reply. */
  readonly stamp: (checkpoint: Buffer) => Promise<Buffer>;
  readonly onFailure: (error: unknown) => void;
}

/** A checkpoint, and the log's folder that it is kept in. */
interface Stamped {
  readonly size: number;
  readonly note: Buffer;
  readonly folder: string;
}

const everyMs = 3_600_000;
const retryMs = 300_000;
const folderName = "timestamps";

/**
 * Has the newest checkpoint dated by somebody else, once an hour where the log has grown. The checkpoint is kept as it was
 * dated, with the reply beside it: two files of a log's folder that never change. Nothing waits for it.
 */
export class Timestamps {
  readonly #options: TimestampsOptions;
  #newest: Stamped | undefined;
  #notBeforeMs = -Infinity;
  #isAsking = false;
  #cancel: () => void = () => undefined;

  constructor(options: TimestampsOptions) {
    this.#options = options;
  }

  /** A checkpoint is shown. */
  shown(stamped: Stamped): void {
    const isFirst = this.#newest === undefined;
    this.#newest = stamped;
    if (isFirst && !this.#isAsking) this.#plan();
  }

  close(): void {
    this.#cancel();
    this.#newest = undefined;
    this.#notBeforeMs = Infinity;
  }

  /** What is newest when the time has come is dated; what is shown before that takes its place. */
  #plan(): void {
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#notBeforeMs - clock.monotonicMs());
    this.#cancel = clock.after(waitMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const newest = this.#newest;
    if (newest === undefined) return;
    this.#newest = undefined;
    this.#isAsking = true;
    let nextMs = everyMs;
    try {
      await this.#stamp(newest);
    } catch (error) {
      this.#options.onFailure(error);
      this.#newest ??= newest;
      nextMs = retryMs;
    }
    this.#isAsking = false;
    // Closed meanwhile.
    if (this.#notBeforeMs === Infinity) return;
    this.#notBeforeMs = this.#options.clock.monotonicMs() + nextMs;
    if (this.#newest !== undefined) this.#plan();
  }

  async #stamp({ size, note, folder }: Stamped): Promise<void> {
    const at = join(folder, folderName, String(size));
    // A process before this one has had it dated.
    if (existsSync(`${at}.tsr`)) return;
    const reply = await this.#options.stamp(note);
    mkdirSync(join(folder, folderName), { recursive: true, mode: 0o700 });
    writeWhole(at, note, 0o600);
    writeWhole(`${at}.tsr`, reply, 0o600);
  }
}

/** `timestamps` lists the sizes that were dated, the newest first; below it are a checkpoint and its reply by their size. */
export function timestampResource(folder: string, path: string): LogResource | undefined {
  if (path === folderName) {
    const text = sizesIn(folder)
      .map((size) => `${size}\n`)
      .join("");
    return { bytes: Buffer.from(text), contentType: "text/plain; charset=utf-8", isFixed: false };
  }
  const [, name, suffix] = /^timestamps\/((?:0|[1-9]\d{0,15})(\.tsr)?)$/.exec(path) ?? [];
  if (name === undefined || !existsSync(join(folder, folderName, name))) return undefined;
  const contentType = suffix === undefined ? "text/plain; charset=utf-8" : "application/octet-stream";
  return { bytes: readFileSync(join(folder, folderName, name)), contentType, isFixed: true };
}

const listedMax = 10_000;

function sizesIn(folder: string): readonly number[] {
  const place = join(folder, folderName);
  const names = existsSync(place) ? readdirSync(place) : [];
  return names
    .flatMap((name) => /^(\d{1,16})\.tsr$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a)
    .slice(0, listedMax);
}
