import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { folderMode, makeFolder } from "./make-folder.ts";
import { writeWhole } from "./write-whole.ts";

/** Lies in a data folder for as long as a restore fills it. */
export const restoringName = "restoring";

/**
 * Makes a folder ready to be filled, and marks it: a start refuses it until it is whole. What a restore that was cut
 * off has left in it is removed. False: something else lies in it, and nothing was touched.
 */
export function beginRestore(path: string): boolean {
  makeFolder(path, folderMode());
  const entries = readdirSync(path);
  if (entries.length > 0 && !existsSync(join(path, restoringName))) return false;
  // The mark goes last: cut off again, it is still known what this is.
  for (const name of entries) if (name !== restoringName) rmSync(join(path, name), { recursive: true, force: true });
  writeWhole(join(path, restoringName), "", 0o600);
  return true;
}

/** The folder is whole: `filled`; or what was put into it is removed, so that the next try finds it empty. */
export function endRestore(path: string, filled: boolean): void {
  if (!filled) {
    for (const name of readdirSync(path)) {
      if (name !== restoringName) rmSync(join(path, name), { recursive: true, force: true });
    }
  }
  rmSync(join(path, restoringName), { force: true });
}
