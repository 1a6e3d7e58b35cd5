import { chmodSync, cpSync, existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { createIds } from "../base/index.ts";
import { type ReadLedger, readLedger } from "../erasure/index.ts";
import { beginRestore, endRestore, openDataFolder } from "../installation/index.ts";
import { beginLog } from "../sequencing/index.ts";
import { restore } from "../store/index.ts";
import { backupParts, joinParts, logParts } from "./backup.ts";
import { connectionTo, type DatabaseOptions, inWords, type Stops, storeLog } from "./database.ts";
import { replayIn } from "./erasure-ledger.ts";
import { Failed, failedBy } from "./failed.ts";
import { messageOf } from "./words.ts";

export type RestoreResult =
  | {
      readonly outcome: "restored";
      readonly data: string;
      readonly takenAt: string;
      /** Those that the next start does again; undefined: nobody has said which there are. */
      readonly erasures: ReadLedger | undefined;
    }
  | { readonly outcome: "failed"; readonly message: string; readonly next: string };

/**
 * Makes a data folder from a backup: its identity, keys and journal as they were, its database filled and brought to
 * this release's schema. A restore that fails leaves the folder as empty as it was, and one that is cut off leaves it
 * marked. What the journal holds beyond the database is shipped at the next start.
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  try {
    return await restoreInto(options);
  } catch (error) {
    const failed = failedBy(error);
    if (failed !== undefined) return { outcome: "failed", message: failed.message, next: failed.next };
    throw error;
  }
}

type RestoreOptions = DatabaseOptions & {
  readonly from: string;
  readonly data: string;
  readonly platform: NodeJS.Platform;
  /** The ledger of erasures, which may have some that this backup does not know. */
  readonly erasures: string | undefined;
};

async function restoreInto(options: RestoreOptions): Promise<RestoreResult> {
  const { from, data } = options;
  const erasures = options.erasures === undefined ? undefined : await ledgerAt(options.erasures);
  const missing = [...backupParts, "journal", "database"].filter((name) => !existsSync(join(from, name)));
  if (missing.length > 0) {
    throw new Failed(
      `${from} is no whole backup: it has no ${missing.join(", ")}.`,
      "Name a folder that `npx bailiwick backup` made.",
    );
  }
  if (!beginRestore(data)) {
    throw new Failed(`${data} is not empty.`, "Restore into a folder that does not exist yet, with --data.");
  }
  const stops: Stops = [];
  let filled: Filled | undefined;
  try {
    filled = await fill(options, stops);
    return { outcome: "restored", ...filled, erasures };
  } finally {
    for (const stop of stops.toReversed()) await stop();
    endRestore(data, filled !== undefined);
  }
}

async function ledgerAt(path: string): Promise<ReadLedger> {
  try {
    return await readLedger(path);
  } catch (error) {
    throw new Failed(`The ledger of erasures cannot be read: ${messageOf(error)}.`, "Name its file with --erasures.");
  }
}

interface Filled {
  readonly data: string;
  readonly takenAt: string;
}

async function fill(options: RestoreOptions, stops: Stops): Promise<Filled> {
  const { from, data } = options;
  // A backup of a release without a transparency log has none, and one of before others could join no such key.
  const log = [...logParts, ...joinParts, "log"].filter((name) => existsSync(join(from, name)));
  for (const name of [...backupParts, "journal", ...log]) {
    cpSync(join(from, name), join(data, name), { recursive: true });
    if (statSync(join(data, name)).isDirectory()) chmodSync(join(data, name), 0o700);
  }
  if (options.erasures !== undefined) cpSync(options.erasures, replayIn(data));
  // The log has gone on since, and to go on from here would contradict what it has shown.
  if (log.includes("log")) beginLog(data, null);
  const opened = await openDataFolder({
    path: data,
    ids: createIds(options.clock),
    randomBytes: options.randomBytes,
    temporaryFolder: options.temporaryFolder,
    platform: options.platform,
    isRestoring: true,
  });
  if (opened.outcome === "damaged") throw new Failed(`${opened.path} is damaged.`, "Restore another backup.");
  if (opened.outcome !== "opened") {
    throw new Failed(
      "The installation that this backup is of is running on this machine.",
      "Stop it first: two would be one installation.",
    );
  }
  const { folder } = opened;
  stops.push(() => folder.close());
  let isFilled = false;
  let madeCluster: string | undefined;
  // Stopped first and removed after it: as root a cluster can lie outside the data folder.
  stops.push(() => {
    if (!isFilled && madeCluster !== undefined) rmSync(madeCluster, { recursive: true, force: true });
  });
  const database = await connectionTo(options, folder, stops);
  const { connection } = database;
  ({ madeCluster } = database);
  const restoring = restore({ connection, from: join(from, "database"), log: storeLog(options) });
  const restored = await inWords(restoring, connection);
  if (restored.outcome === "refused") throw new Failed(restored.message, restored.next);
  isFilled = true;
  return { data: folder.path, takenAt: restored.manifest.createdAt };
}
