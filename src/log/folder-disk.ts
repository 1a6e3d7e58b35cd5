import { DiskFullError } from "../base/index.ts";
import { access, type FileHandle, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Disk } from "./disk.ts";

/** The real disk: one folder, made here where it is not there, with access for its owner only. */
export async function folderDisk(folder: string): Promise<Disk> {
  await makeDurably(resolve(folder));
  const at = (path: string): string => join(folder, path);
  return {
    read: async (path) => orUndefined(readFile(at(path))),
    async readPart(path, offset, length) {
      const file = await open(at(path), "r");
      try {
        const bytes = Buffer.alloc(length);
        const { bytesRead } = await file.read(bytes, 0, length, offset);
        return bytes.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    },
    sizeOf: async (path) => (await orUndefined(stat(at(path))))?.size,
    exists: async (path) => (await orUndefined(access(at(path)).then(() => true))) ?? false,
    makeFolder: async (path) => orFull(makeFolder(at(path))),
    write: async (path, bytes) => orFull(writeAll(at(path), "w", 0, bytes)),
    async writeEnd(path, offset, bytes) {
      const flags = (await orUndefined(stat(at(path)))) === undefined ? "w" : "r+";
      await orFull(writeAll(at(path), flags, offset, bytes));
    },
    rename: async (from, to) => rename(at(from), at(to)),
    removeFolder: async (path) => rm(at(path), { recursive: true, force: true }),
    syncFolder: async (path) => syncFolder(at(path)),
  };
}

/** Makes a folder and the parents that it lacks, so that all of them are there after a power cut. */
async function makeDurably(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  // Also where it was there: an earlier process may have made it and been killed.
  await syncFolder(dirname(folder));
  if (first === undefined) return;
  for (let made = dirname(folder); made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Ends the file behind what it writes. */
async function writeAll(path: string, flags: "w" | "r+", offset: number, bytes: Buffer): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await writeFrom(file, offset, bytes);
    if (flags === "r+") await file.truncate(offset + bytes.length);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeFrom(file: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
}

async function orUndefined<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

async function orFull(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (codeOf(error) !== "ENOSPC" && codeOf(error) !== "EDQUOT") throw error;
    throw new DiskFullError("there is no room left on the disk", { cause: error });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
