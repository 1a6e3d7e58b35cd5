import { createReadStream } from "node:fs";
import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { refuse, type Refusal } from "../base/index.ts";
import { freeBytesOf, refuseForRoom, refuseIfDiskFull } from "./disk.ts";
import { folderName, type ModelEntry } from "./entry.ts";
import { Landing } from "./landing.ts";
import { broughtFolder } from "./folder-record.ts";
import { isCode, takeLockIn } from "./lock.ts";
import type { PullContext, PullOptions } from "./pull.ts";

/** A file that somebody brought: its place in the model, and where it lies now. */
export interface BroughtFile {
  /** From the model's folder, with slashes; of a GGUF file, its name. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly at: string;
}

/** A model on a medium: what it is, and its files. Both are believed only as far as their digests show. */
export interface Brought {
  readonly entry: ModelEntry & { readonly sha256: string };
  readonly form: "gguf" | "folder";
  readonly files: readonly BroughtFile[];
}

/**
 * Copies a folder's files into the model's own place, each checked while it is copied; they appear together, or not at
 * all. Throws the signal's reason when it is stopped.
 */
export async function landFolder(
  { entry, files }: Brought,
  context: PullContext,
  { onProgress = () => {}, signal: stopped }: PullOptions,
): Promise<{ readonly outcome: "landed"; readonly path: string } | Refusal> {
  const folder = join(context.folder, folderName(entry.name));
  const [target, beside] = [broughtFolder(folder), join(folder, "receiving-files")];
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await mkdir(folder, { recursive: true });
  const lock = await takeLockIn(folder, { clock: context.clock, signal: stopped, onWait: () => {} });
  try {
    const refused = refuseForRoom(totalBytes, await (context.freeBytes ?? freeBytesOf)(folder));
    if (refused !== undefined) return refused;
    await rm(beside, { recursive: true, force: true });
    let receivedBytes = 0;
    for (const file of files) {
      const wrong = await landFile(file, join(beside, file.path), lock.signal, (bytes) => {
        receivedBytes += bytes;
        onProgress({ phase: "downloading", source: file.at, receivedBytes, totalBytes });
      });
      if (wrong !== undefined) return wrong;
    }
    await rm(target, { recursive: true, force: true });
    await rename(beside, target);
    return { outcome: "landed", path: target };
  } catch (error) {
    const full = refuseIfDiskFull(error);
    if (full === undefined) throw error;
    return full;
  } finally {
    await rm(beside, { recursive: true, force: true });
    await lock.release();
  }
}

async function landFile(
  file: BroughtFile,
  to: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Refusal | undefined> {
  const missing = await whyNoFile(file);
  if (missing !== undefined) return missing;
  await mkdir(dirname(to), { recursive: true });
  const landing = await Landing.open(to, signal);
  try {
    for await (const chunk of createReadStream(file.at, { signal })) {
      const part = chunk as Uint8Array;
      if (landing.receivedBytes + part.length > file.sizeBytes) break;
      await landing.write(part);
      onBytes(part.length);
    }
    if (landing.sha256() !== file.sha256)
      return refuse("model_invalid", `The file ${file.at} is not what its name says.`);
    await landing.sync();
    return undefined;
  } finally {
    await landing.close();
  }
}

/** A link on a medium could name anything on this machine: only files themselves are read. */
export async function whyNoFile({ at, sizeBytes }: BroughtFile): Promise<Refusal | undefined> {
  try {
    const found = await lstat(at);
    if (found.isFile() && found.size === sizeBytes) return undefined;
    const what = found.isFile() ? `has ${found.size} bytes, ${sizeBytes} are expected` : "is no file";
    return refuse("model_invalid", `${at} ${what}.`);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
    return refuse("model_unavailable", `${at} is not there.`);
  }
}
