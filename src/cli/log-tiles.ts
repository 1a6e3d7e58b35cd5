import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { ReadTile } from "../log/index.ts";
import { CommandFailure } from "./failure.ts";
import { ask, readBytes } from "./http.ts";

/** Where a log's files are: a folder, or a URL below which they are served. */
export async function tilesAt(place: string, currentFolder: string): Promise<ReadTile> {
  const { tilesBy } = await import("../log/index.ts");
  return tilesBy(readerAt(place, currentFolder));
}

/** Reads a file of a log by its path; undefined where it is not there. */
export function readerAt(place: string, currentFolder: string): (path: string) => Promise<Buffer | undefined> {
  if (/^https?:/.test(place)) return (path) => fetched(`${place.replace(/\/$/, "")}/${path}`);
  const named = resolve(currentFolder, place);
  if (!existsSync(named)) {
    throw new CommandFailure("unreadable_file", `${named} is not there.`, {
      next: "Name a log's folder, such as DATA/log, or the URL at which it is served, with --log.",
    });
  }
  const folder = newestLogIn(named);
  return (path) => Promise.resolve(existsSync(join(folder, path)) ? readFileSync(join(folder, path)) : undefined);
}

/** A data folder's `log/` holds each log that was begun, under its number: of these the newest is meant. */
function newestLogIn(folder: string): string {
  if (existsSync(join(folder, "checkpoint"))) return folder;
  const numbers = readdirSync(folder)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);
  return numbers.length === 0 ? folder : join(folder, String(Math.max(...numbers)));
}

async function fetched(text: string): Promise<Buffer | undefined> {
  const url = new URL(text);
  const answer = await ask({ method: "GET", url, idleTimeoutMs: 60_000 });
  const bytes = await readBytes(answer, url);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) {
    throw new CommandFailure("unexpected_answer", `${text} was answered with ${answer.status}.`, {
      next: "Check the URL of the log.",
    });
  }
  return bytes;
}
