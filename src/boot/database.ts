import { createHash } from "node:crypto";
import type { Clock, InstallationId } from "../base/index.ts";
import { isHere, type Settings } from "../config/index.ts";
import { type DatabaseConnection, openStore, startEmbeddedPostgres, type Store } from "../store/index.ts";
import type { Log } from "../telemetry/index.ts";
import { databaseFailure } from "./database-failure.ts";
import { Failed, failedBy, unwritable } from "./failed.ts";
import { messageOf } from "./words.ts";

/** What was started, to be stopped in reverse. */
export type Stops = (() => Promise<void> | void)[];

export interface DatabaseOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Buffer;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly temporaryFolder: string;
  readonly log: Log;
  readonly onStep?: (step: string) => void;
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
  const { connection } = await connectionTo(options, folder, stops);
  const opening = openStore({
    connection,
    installation: folder.installation,
    clock: options.clock,
    log: storeLog(options),
    connections: options.settings.database.connections,
  });
  const store = await inWords(opening, connection);
  if (store.outcome === "refused") throw new Failed(store.message, store.next);
  stops.push(() => store.close());
  return { store, connection };
}

/** What the database refuses, or a migration that fails in it, is the operator's to mend: in words. */
export async function inWords<Result>(work: Promise<Result>, connection: DatabaseConnection): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw "url" in connection ? databaseFailure(error, connection.url) : embeddedFailure(error);
  }
}

/** PostgreSQL's own programs print much; what went wrong is in a few of their lines. */
function embeddedFailure(error: unknown): Failed {
  const known = failedBy(error);
  if (known !== undefined) return known;
  const [first = "", ...lines] = messageOf(error).split("\n");
  if (lines.some((line) => line.includes("No space left on device"))) return unwritable("ENOSPC");
  const telling = lines.filter((line) => /\b(error|FATAL|PANIC):/.test(line));
  const shown = (telling.length > 0 ? telling : lines).slice(-linesShown);
  return new Failed([first, ...shown].join(" ").trim(), "docs/operating/database.md says what to do about it.");
}

const linesShown = 3;

/**
 * The database's connection, its PostgreSQL up; nothing is made in it. `cluster`: where an embedded one lies, if this
 * call has made it.
 */
export async function connectionTo(
  options: DatabaseOptions,
  folder: Folder,
  stops: Stops,
): Promise<{ readonly connection: DatabaseConnection; readonly madeCluster?: string }> {
  const { settings, environment } = options;
  const { url: plainUrl, urlEnvironment } = settings.database;
  const url = plainUrl ?? (urlEnvironment === undefined ? undefined : environment[urlEnvironment]);
  if (url !== undefined && url !== "") {
    if (settings.network.airGapped && !isHere(url)) {
      throw new Failed(
        `This cloud is air-gapped, and ${urlEnvironment ?? "database.url"} names a database elsewhere.`,
        "Use a database on this machine, or let network.airGapped be false.",
      );
    }
    options.onStep?.("connecting to the database");
    return { connection: { url } };
  }
  if (urlEnvironment !== undefined) {
    throw new Failed(`The environment has no ${urlEnvironment}.`, "Set it to the database's URL.");
  }
  options.onStep?.("starting the database");
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
  }).catch((error: unknown) => {
    throw embeddedFailure(error);
  });
  stops.push(() => embedded.stop());
  return { connection: embedded.connection, ...(embedded.made ? { madeCluster: embedded.cluster } : {}) };
}

export function storeLog({ log }: Pick<DatabaseOptions, "log">) {
  return (level: "debug" | "info" | "warn" | "error", message: string): void => log[level](message);
}
