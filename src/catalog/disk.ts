import { statfs } from "node:fs/promises";
import { refuse, type Refusal } from "../base/index.ts";
import { isCode } from "./lock.ts";

/** Left free whatever is pulled: the journal and the database write to the same disk. */
export const reservedBytes = 256 * 1024 * 1024;

export type FreeBytes = (folder: string) => Promise<number>;

/** What an unprivileged process may still write to the file system that holds `folder`. */
export const freeBytesOf: FreeBytes = async (folder) => {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
};

export function refuseForRoom(neededBytes: number, freeBytes: number): Refusal | undefined {
  if (freeBytes - reservedBytes >= neededBytes) return undefined;
  const message =
    `The disk has ${gigabytes(freeBytes)} GB free; ${gigabytes(neededBytes)} GB are needed, ` +
    `and ${gigabytes(reservedBytes)} GB must stay free.`;
  return refuse("disk_full", message);
}

export function refuseIfDiskFull(error: unknown): Refusal | undefined {
  if (!isCode(error, "ENOSPC") && !isCode(error, "EDQUOT")) return undefined;
  return refuse("disk_full", "The disk became full while the model was being written.");
}

const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);
