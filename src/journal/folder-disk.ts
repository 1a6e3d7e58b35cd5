import { DiskFullError } from "../base/index.ts";
import { fdatasync, read, writeSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.ts";

/** Small enough to stay in a processor's cache, from which it is copied again and again. */
const fillBytes = 128 * 1024;
/** Zeros are synced every so often while a segment is prepared, so that they do not pile up before the journal's own. */
const fillsPerSync = 64;

/** The real disk: one folder, created with access for its owner only. */
export async function folderDisk(folder: string): Promise<Disk> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return {
    async list() {
      const entries = await readdir(folder, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    open: async (name) => openFile(join(folder, name)),
    preallocate: async (name, sizeBytes) => fillFile(join(folder, name), sizeBytes),
    rename: async (from, to) => rename(join(folder, from), join(folder, to)),
    remove: async (name) => rm(join(folder, name), { force: true }),
    async syncFolder() {
      const handle = await open(folder, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

async function openFile(path: string): Promise<DiskFile> {
  const handle = await open(path, "r+");
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    write(bytes, length, offset) {
      let done = 0;
      while (done < length) done += writeSync(handle.fd, bytes, done, length - done, offset + done);
    },
    datasync: () =>
      new Promise((resolve, reject) => fdatasync(handle.fd, (error) => (error ? reject(error) : resolve()))),
    async read(into, offset) {
      let done = 0;
      while (done < into.length) {
        const count = await readOnce(handle.fd, into, done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    },
    close: () => handle.close(),
  };
}

function readOnce(descriptor: number, into: Buffer, at: number, offset: number): Promise<number> {
  return new Promise((resolve, reject) =>
    read(descriptor, into, at, into.length - at, offset, (error, count) => (error ? reject(error) : resolve(count))),
  );
}

/** Node has no `fallocate`; written zeros also spare a later `fdatasync` the conversion of unwritten extents. */
async function fillFile(path: string, sizeBytes: number): Promise<DiskFile> {
  const handle = await open(path, "w", 0o600);
  try {
    const zeros = Buffer.alloc(Math.min(fillBytes, sizeBytes));
    for (let at = 0, fills = 1; at < sizeBytes; fills++) {
      const { bytesWritten } = await handle.write(zeros, 0, Math.min(zeros.length, sizeBytes - at), at);
      at += bytesWritten;
      if (fills % fillsPerSync === 0) await handle.datasync();
    }
    await handle.sync();
    await handle.close();
  } catch (error) {
    await handle.close();
    await rm(path, { force: true });
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOSPC" || code === "EDQUOT")
      throw new DiskFullError(`no room for ${sizeBytes} bytes in ${path}`, { cause: error });
    throw error;
  }
  return openFile(path);
}
