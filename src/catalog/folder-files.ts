import { opendir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { refuse, type Refusal, RefusalError } from "../base/index.ts";
import { isCode } from "./lock.ts";

/** A regular file below a model's folder. */
export interface FolderFile {
  /** From the folder, with slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

interface ListedFolder {
  readonly outcome: "listed";
  /** Without links: what a link names later is not what was looked at. */
  readonly root: string;
  /** By their paths' bytes. */
  readonly files: readonly FolderFile[];
}

/** Models have tens of files; the largest, of a thousand billion parameters, some hundreds. */
const mostFiles = 1_000;
const mostEntries = 10_000;
const mostDepth = 4;
const mostPathBytes = 512;

/**
 * Every file below a folder, but for what begins with a dot (a download's notes, a repository's). What a program could
 * read there and nobody would have looked at is refused: a link out of the folder, a pipe, a name that is no text.
 */
export async function listFolder(path: string): Promise<ListedFolder | Refusal> {
  try {
    const root = await realpath(path);
    const files: FolderFile[] = [];
    await walk({ root, files, entries: 0 }, "", 0);
    return { outcome: "listed", root, files: files.toSorted((a, b) => byBytes(a.path, b.path)) };
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return unusable(path, "it is not there");
    if (isCode(error, "EACCES")) return unusable(path, "this user may not read it");
    throw error;
  }
}

export function unusable(path: string, why: string): Refusal {
  return refuse("model_invalid", `The folder ${path} cannot be used as a model: ${why}.`);
}

/** The order of the digest's list: the same on every machine, whatever its language. */
export function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

interface Walk {
  readonly root: string;
  readonly files: FolderFile[];
  entries: number;
}

async function walk(all: Walk, below: string, depth: number): Promise<void> {
  if (depth > mostDepth) stop(all, `${below} lies more than ${mostDepth} folders deep`);
  for await (const entry of await opendir(join(all.root, below))) {
    if ((all.entries += 1) > mostEntries) stop(all, `it holds more than ${mostEntries} entries`);
    if (entry.name.startsWith(".")) continue;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (!isPlain(path)) stop(all, `${JSON.stringify(path.slice(0, 200))} is no plain name, or too long`);
    if (entry.isDirectory()) await walk(all, path, depth + 1);
    else all.files.push(await fileAt(all, path, entry.isSymbolicLink()));
    if (all.files.length > mostFiles) stop(all, `it holds more than ${mostFiles} files`);
  }
}

/** Node puts U+FFFD for what is no UTF-8; a line break would make two lines of one in the digest's list. */
function isPlain(path: string): boolean {
  return !/[\p{Cc}\ufffd]/u.test(path) && Buffer.byteLength(path) <= mostPathBytes;
}

async function fileAt(all: Walk, path: string, isLink: boolean): Promise<FolderFile> {
  const absolute = join(all.root, path);
  if (isLink) {
    const target = await realpath(absolute).catch(() => stop(all, `${path} is a link to nothing`));
    if (!target.startsWith(all.root + sep)) stop(all, `${path} is a link out of it; put the file itself there`);
  }
  const found = await stat(absolute);
  if (!found.isFile()) stop(all, `${path} is no regular file`);
  return { path, sizeBytes: found.size, modifiedMs: found.mtimeMs };
}

function stop({ root }: Walk, why: string): never {
  throw new RefusalError(unusable(root, why));
}
