import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "./write-whole.ts";

/** Where the running cloud of a data folder answers; commands on the same machine find it by this. */
export interface ServerNote {
  readonly url: string;
  readonly pid: number;
}

const fileName = "server.json";

export function writeServerNote(folder: string, note: ServerNote): void {
  writeWhole(join(folder, fileName), `${JSON.stringify(note)}\n`, 0o600);
}

export function removeServerNote(folder: string): void {
  rmSync(join(folder, fileName), { force: true });
}

/** The note of a data folder; undefined where no server has left one, or no folder is there. */
export function readServerNote(folder: string): ServerNote | undefined {
  try {
    const note = JSON.parse(readFileSync(join(folder, fileName), "utf8")) as Partial<ServerNote>;
    return typeof note.url === "string" && typeof note.pid === "number" ? { url: note.url, pid: note.pid } : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
