/**
 * How long this disk takes to make a journal's record durable, measured as the journal does it: into a file whose bytes
 * were all written before, so that only data goes to the disk. The gateway's added latency is judged against it, so it
 * is measured in the same run, between the rounds.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const fileBytes = 8 * 1024 * 1024;

/** Milliseconds of each write with its fdatasync, one after another for `durationMs`. Blocks this process. */
export function fdatasyncTimesMs({
  folder,
  recordBytes,
  durationMs,
}: {
  /** A folder on the disk in question. */
  readonly folder: string;
  readonly recordBytes: number;
  readonly durationMs: number;
}): number[] {
  const path = join(folder, `fdatasync-${process.pid}`);
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, Buffer.alloc(fileBytes));
    fsyncSync(file);
    const record = Buffer.alloc(recordBytes, "journal ");
    const timesMs: number[] = [];
    const endMs = performance.now() + durationMs;
    for (let startMs = performance.now(), at = 0; startMs < endMs; startMs = performance.now()) {
      writeSync(file, record, 0, recordBytes, at);
      fdatasyncSync(file);
      timesMs.push(performance.now() - startMs);
      at = at + 2 * recordBytes > fileBytes ? 0 : at + recordBytes;
    }
    return timesMs;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
