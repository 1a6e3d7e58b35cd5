import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { gzipSync } from "node:zlib";

/** A folder for small traces of a test's own, gone when the test is over. */
export async function traceFolder(context: TestContext): Promise<{
  readonly path: string;
  /** Writes these lines, packed where the name ends in .gz; gives the file's path. */
  write(name: string, lines: readonly string[]): Promise<string>;
}> {
  const path = await mkdtemp(join(tmpdir(), "bailiwick-workload-"));
  context.after(() => rm(path, { recursive: true, force: true }));
  return {
    path,
    async write(name, lines) {
      const text = lines.map((line) => `${line}\n`).join("");
      await writeFile(join(path, name), name.endsWith(".gz") ? gzipSync(text) : text);
      return join(path, name);
    },
  };
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index]!;
  return sum / values.length;
}

/** Standard deviation / mean. */
export function cvOf(values: ArrayLike<number>): number {
  const middle = mean(values);
  return Math.sqrt(mean(Array.from(values, (value) => (value - middle) ** 2))) / middle;
}

export function intervalsBetween(times: ArrayLike<number>): readonly number[] {
  return Array.from({ length: times.length - 1 }, (_, index) => times[index + 1]! - times[index]!);
}

/** Fails unless `actual` is within that share of `expected`: 0.03 is 3 %. */
export function near(actual: number, expected: number, share: number): void {
  if (Math.abs(actual - expected) <= Math.abs(expected) * share) return;
  throw new Error(`${actual} is not within ${share * 100} % of ${expected}`);
}
