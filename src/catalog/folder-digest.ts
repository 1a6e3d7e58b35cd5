import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Refusal } from "../base/index.ts";
import { byBytes, type FolderFile, unusable } from "./folder-files.ts";
import { sha256OfFile } from "./landing.ts";

export interface DigestedFile extends FolderFile {
  /** Lower-case hex. */
  readonly sha256: string;
}

/**
 * A folder's digest: SHA-256 of a list with a line for each file, `SHA256  BYTES  PATH\n`, ordered by the paths' bytes.
 * docs/reference/models.md has the command that computes it without us.
 */
export function folderSha256(files: readonly Pick<DigestedFile, "path" | "sizeBytes" | "sha256">[]): string {
  const hash = createHash("sha256");
  for (const { path, sizeBytes, sha256 } of files.toSorted((a, b) => byBytes(a.path, b.path))) {
    hash.update(`${sha256}  ${sizeBytes}  ${path}\n`);
  }
  return hash.digest("hex");
}

/** The files with their digests. Of a file that is as it was (path, size, time) the earlier digest is taken. */
export async function digestFiles(
  root: string,
  files: readonly FolderFile[],
  options: {
    readonly earlier: readonly DigestedFile[];
    readonly signal: AbortSignal;
    /** Bytes that were read, or did not have to be. */
    readonly onBytes: (doneBytes: number) => void;
  },
): Promise<{ readonly outcome: "digested"; readonly files: readonly DigestedFile[] } | Refusal> {
  const earlier = new Map(options.earlier.map((file) => [file.path, file]));
  const digested: DigestedFile[] = [];
  let doneBytes = 0;
  for (const file of files) {
    const before = earlier.get(file.path);
    if (before !== undefined && isSame(before, file)) digested.push(before);
    else {
      const base = doneBytes;
      const absolute = join(root, file.path);
      const sha256 = await sha256OfFile(absolute, options.signal, (bytes) => options.onBytes(base + bytes));
      const { size, mtimeMs } = await stat(absolute);
      if (!isSame(file, { path: file.path, sizeBytes: size, modifiedMs: mtimeMs })) {
        return unusable(root, `${file.path} changed while it was read`);
      }
      digested.push({ ...file, sha256 });
    }
    doneBytes += file.sizeBytes;
    options.onBytes(doneBytes);
  }
  return { outcome: "digested", files: digested };
}

export function isSame(one: FolderFile, other: FolderFile): boolean {
  return one.path === other.path && one.sizeBytes === other.sizeBytes && one.modifiedMs === other.modifiedMs;
}
