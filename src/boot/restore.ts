import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createIds } from "../base/index.ts";
import { openDataFolder } from "../installation/index.ts";
import { restore } from "../store/index.ts";
import { backupParts } from "./backup.ts";
import { connectionTo, type DatabaseOptions, type Stops, storeLog } from "./database.ts";
import { Failed } from "./failed.ts";

export type RestoreResult =
  | { readonly outcome: "restored"; readonly data: string; readonly takenAt: string }
  | { readonly outcome: "failed"; readonly message: string; readonly next: string };

/**
 * Makes a data folder from a backup: its identity, keys and journal as they were, its database filled and brought to
 * this release's schema. What the journal holds beyond the database is shipped at the next start.
 */
export async function restoreBackup(
  options: DatabaseOptions & { readonly from: string; readonly data: string; readonly platform: NodeJS.Platform },
): Promise<RestoreResult> {
  const stops: Stops = [];
  try {
    return await fill(options, stops);
  } catch (error) {
    if (error instanceof Failed) return { outcome: "failed", message: error.message, next: error.next };
    throw error;
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function fill(options: Parameters<typeof restoreBackup>[0], stops: Stops): Promise<RestoreResult> {
  const { from, data } = options;
  const missing = [...backupParts, "journal", "database"].filter((name) => !existsSync(join(from, name)));
  if (missing.length > 0) {
    throw new Failed(
      `${from} is no whole backup: it has no ${missing.join(", ")}.`,
      "Name a folder that `bailiwick backup` made.",
    );
  }
  if (existsSync(data) && readdirSync(data).length > 0) {
    throw new Failed(`${data} is not empty.`, "Restore into a folder that does not exist yet, with --data.");
  }
  mkdirSync(data, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  for (const name of [...backupParts, "journal"]) {
    cpSync(join(from, name), join(data, name), { recursive: true });
    if (statSync(join(data, name)).isDirectory()) chmodSync(join(data, name), 0o700);
  }
  const opened = await openDataFolder({
    path: data,
    ids: createIds(options.clock),
    randomBytes: options.randomBytes,
    temporaryFolder: options.temporaryFolder,
    platform: options.platform,
  });
  if (opened.outcome === "taken") {
    throw new Failed(
      "The installation that this backup is of is running on this machine.",
      "Stop it first: two would be one installation.",
    );
  }
  const { folder } = opened;
  stops.push(() => folder.close());
  const connection = await connectionTo(options, folder, stops);
  const restored = await restore({ connection, from: join(from, "database"), log: storeLog(options) });
  if (restored.outcome === "refused") throw new Failed(restored.message, restored.next);
  return { outcome: "restored", data: folder.path, takenAt: restored.manifest.createdAt };
}
