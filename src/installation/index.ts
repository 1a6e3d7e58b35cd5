/**
 * installation: the data folder as one running cloud's own. Owns its lock, its identity, the operator's token and the
 * note that tells commands where the server is; and folders for temporary files that a process has to itself. Does not own
 * what other rooms keep in folders of their own below it.
 * Invariants: one process at a time; what a killed process has left is removed, and nothing of one that lives; secrets are readable by their owner only; a file appears whole or not at all.
 */
export { type DataFolder, openDataFolder, type OpenedFolder } from "./data-folder.ts";
export { type FolderLock, lockFolder } from "./folder-lock.ts";
export { makeFolder } from "./make-folder.ts";
export { makeProcessFolder, removeAbandoned } from "./process-folder.ts";
export { readIfThere } from "./read-if-there.ts";
export { beginRestore, endRestore } from "./restoring.ts";
export { readServerNote, type ServerNote } from "./server-note.ts";
export { writeWhole } from "./write-whole.ts";
