import { createHash } from "node:crypto";
import type { Clock, InstallationId } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import { type DatabaseConnection, openStore, startEmbeddedPostgres, type Store } from "../store/index.ts";
import type { Log } from "../telemetry/index.ts";
import { Failed } from "./failed.ts";

/** What was started, to be stopped in reverse. */
export type Stops = (() => Promise<void> | void)[];

export interface DatabaseOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Buffer;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly temporaryFolder: string;
  readonly log: Log;
}

interface Folder {
  readonly path: string;
  readonly installation: InstallationId;
}

/** Connects to the settings' database, or brings up the embedded one, and opens the store on it. */
export async function openDatabase(
  options: DatabaseOptions,
  folder: Folder,
  stops: Stops,
): Promise<{ readonly store: Store; readonly connection: DatabaseConnection }> {
  const connection = await connectionTo(options, folder, stops);
  const store = await openStore({
    connection,
    installation: folder.installation,
    clock: options.clock,
    log: storeLog(options),
    connections: options.settings.database.connections,
  });
  if (store.outcome === "refused") throw new Failed(store.message, store.next);
  stops.push(() => store.close());
  return { store, connection };
}

/** The database's connection, its PostgreSQL up; nothing is made in it. */
export async function connectionTo(
  options: DatabaseOptions,
  folder: Folder,
  stops: Stops,
): Promise<DatabaseConnection> {
  const { settings, environment } = options;
  const { url: plainUrl, urlEnvironment } = settings.database;
  const url = plainUrl ?? (urlEnvironment === undefined ? undefined : environment[urlEnvironment]);
  if (url !== undefined) return { url };
  if (urlEnvironment !== undefined) {
    throw new Failed(`The environment has no ${urlEnvironment}.`, "Set it to the database's URL.");
  }
  const embedded = await startEmbeddedPostgres({
    dataFolder: folder.path,
    // A restored installation may stand beside the one that it was: each data folder has a cluster of its own.
    installation: `${folder.installation}-${createHash("sha256").update(folder.path).digest("hex").slice(0, 8)}`,
    clock: options.clock,
    randomBytes: options.randomBytes,
    log: storeLog(options),
    socketParents: [environment["XDG_RUNTIME_DIR"], options.temporaryFolder, "/tmp"].filter(
      (path) => path !== undefined,
    ),
  });
  stops.push(() => embedded.stop());
  return embedded.connection;
}

export function storeLog({ log }: Pick<DatabaseOptions, "log">) {
  return (level: "debug" | "info" | "warn" | "error", message: string): void => log[level](message);
}
