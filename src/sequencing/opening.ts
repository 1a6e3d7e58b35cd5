import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../base/index.ts";
import { isBefore, type Journal, type Position } from "../journal/index.ts";
import {
  type Checkpoint,
  folderDisk,
  openCheckpoint,
  openSequencer,
  parseVerifierKey,
  type Sequencer,
} from "../log/index.ts";
import { cursorOf } from "./cursor.ts";
import { type Generation, originOf, readGenerations } from "./generations.ts";
import type { KeyBook } from "./key-book.ts";
import { ahead, damaged, full, type Stopped } from "./standing.ts";
import type { Shown } from "./witnesses.ts";

export interface OpeningOptions {
  readonly data: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly origin: string;
  readonly published: readonly Buffer[];
}

/** The newest log, as it goes on. */
export interface OpenedLog {
  readonly outcome: "opened";
  readonly generation: Generation;
  readonly origin: string;
  readonly log: Sequencer;
  /** Where in the journal it goes on. */
  readonly at: Position;
  /** What witnesses have cosigned last. */
  readonly cosigned: Shown | undefined;
}

/** Opens the newest log, and holds it against what it has shown and against the journal. Changes nothing where it stops. */
export async function openNewest(options: OpeningOptions, book: KeyBook): Promise<OpenedLog | Stopped> {
  const { data, clock } = options;
  const generation = readGenerations(data).at(-1);
  if (generation === undefined) return damaged("missing", `The log's folder ${join(data, "log")} is not there.`);
  const origin = originOf(options.origin, generation);
  const cosigned = readCosigned(generation, origin, book);
  const known = options.published.flatMap((note) => checkpointIn(note, origin, book) ?? []);
  const opened = await openSequencer({
    disk: await folderDisk(generation.folder),
    clock,
    origin,
    keys: book.signingLog(origin),
    published: cosigned === undefined ? known : [...known, cosigned.checkpoint],
  });
  if (opened.outcome === "full") return full(opened.reason);
  if (opened.outcome !== "opened") {
    const path = opened.outcome === "damaged" ? ` (${join(generation.folder, opened.path)})` : "";
    return damaged("damaged", `The log ${origin} is damaged: ${opened.reason}${path}.`);
  }
  const at = placeIn(options.journal, opened.log, generation);
  return "outcome" in at ? at : { outcome: "opened", generation, origin, log: opened.log, at, cosigned };
}

/** Where the log goes on in the journal, which must reach as far as the log has followed it. */
function placeIn(journal: Journal, log: Sequencer, { begins }: Generation): Position | Stopped {
  const at = cursorOf(log.cursor).position ?? begins ?? journal.first;
  if (isBefore(journal.durable, at)) {
    const { segment, offset } = at;
    return ahead(`The log has followed a journal up to segment ${segment}, offset ${offset}; this one ends before.`);
  }
  // What the journal has let go cannot be logged any more.
  return isBefore(at, journal.first) ? journal.first : at;
}

const cosignedName = "cosigned";

export function cosignedPath({ folder }: Pick<Generation, "folder">): string {
  return join(folder, cosignedName);
}

function readCosigned(generation: Generation, origin: string, book: KeyBook) {
  const path = cosignedPath(generation);
  if (!existsSync(path)) return undefined;
  const note = readFileSync(path);
  const checkpoint = checkpointIn(note, origin, book);
  return checkpoint && { checkpoint, note };
}

/** What a note says, where it is this log's: by whatever key of it that was ever stated. */
function checkpointIn(note: Buffer, origin: string, book: KeyBook): Checkpoint | undefined {
  const keys = (book.latest?.logKeys ?? []).flatMap(({ key }) => {
    const parsed = parseVerifierKey(key);
    return parsed.outcome === "read" && parsed.key.name === origin ? [parsed.key] : [];
  });
  const opened = openCheckpoint(note, [{ origin, keys }]);
  return opened.outcome === "signed" ? opened.checkpoint : undefined;
}
