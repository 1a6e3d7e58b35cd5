import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and the parents that it lacks, one by one: Node's own recursive mkdir tries for ever on a file system
 * that answers ENOENT (/proc). Throws the file system's error where one cannot be made or is a file.
 */
export function makeFolder(path: string, mode: number): void {
  const missing: string[] = [];
  for (let at = path; !existsSync(at) && at !== dirname(at); at = dirname(at)) missing.push(at);
  for (const folder of missing.toReversed()) makeOne(folder, mode);
  if (missing.length === 0) makeOne(path, mode);
}

function makeOne(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    // Another start may make the same folders.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !statSync(path).isDirectory()) throw error;
  }
}

/** As root PostgreSQL runs as another user, who passes through to its own folder; all else here is closed by itself. */
export function folderMode(): number {
  return process.getuid?.() === 0 ? 0o711 : 0o700;
}
