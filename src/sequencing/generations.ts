import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../installation/index.ts";
import type { Position } from "../journal/index.ts";

/**
 * An installation's logs, in folders that are numbered from 1; the last one goes on. Another is begun where the one before
 * cannot go on without contradicting what it has shown: after a restore, or where it is damaged. It has another name, so
 * that nobody takes it for the same one, and the one before is kept.
 */
export interface Generation {
  readonly number: number;
  readonly folder: string;
  /** Where in the journal it begins; null: at the journal's oldest batch. */
  readonly begins: Position | null;
}

const begunName = "begun";

/** All of them, the first one first. A folder that does not say where it begins is none that was begun here. */
export function readGenerations(data: string): readonly Generation[] {
  const logs = join(data, "log");
  if (!existsSync(logs)) return [];
  const numbers = readdirSync(logs)
    .filter((name) => /^[1-9]\d{0,5}$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
  return numbers.flatMap((number) => {
    const folder = join(logs, String(number));
    const begun = join(folder, begunName);
    if (!existsSync(begun)) return [];
    const { begins } = JSON.parse(readFileSync(begun, "utf8")) as { begins: Position | null };
    return [{ number, folder, begins }];
  });
}

/** Makes the folder of the next log, whole or not at all. */
export function beginLog(data: string, begins: Position | null): Generation {
  const logs = join(data, "log");
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const taken = readdirSync(logs)
    .filter((name) => /^[1-9]\d{0,5}$/.test(name))
    .map(Number);
  const number = Math.max(0, ...taken) + 1;
  const folder = join(logs, String(number));
  mkdirSync(`${folder}.new`, { recursive: true, mode: 0o700 });
  writeWhole(join(`${folder}.new`, begunName), `${JSON.stringify({ begins })}\n`, 0o600);
  renameSync(`${folder}.new`, folder);
  return { number, folder, begins };
}

/** A log's name. The first one's is the settings'; a later one's says that it is another. */
export function originOf(origin: string, { number }: Pick<Generation, "number">): string {
  return number === 1 ? origin : `${origin}/${number}`;
}
