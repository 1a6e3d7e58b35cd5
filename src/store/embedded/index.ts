/**
 * embedded: a PostgreSQL of our own, from the binaries that npm delivers: made at the first start, supervised, stopped.
 *
 * It does not connect to it and knows no table. Invariants: it listens on a Unix socket only, in a 0700 folder; it ends
 * when this process dies, however that happens; no process is signalled that is not a postgres on our data directory.
 */
import { chown, mkdtemp, readFile, realpath, rm, rmdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "../../base/index.ts";
import type { Log } from "../log.ts";
import type { Account } from "./account.ts";
import { findBinaries, runnableBinaries } from "./binaries.ts";
import { database, ensureCluster, user } from "./cluster.ts";
import { makeSocketFolder, placeCluster } from "./placement.ts";
import { type PostgresState, supervise } from "./supervisor.ts";

export type { PostgresState } from "./supervisor.ts";

export interface EmbeddedOptions {
  /** Bailiwick's data folder; it exists, and the caller holds its lock: two starts on one folder stop each other. */
  readonly dataFolder: string;
  readonly installation: string;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Buffer;
  readonly log: Log;
  readonly onState?: (state: PostgresState) => void;
  /** Where the socket's folder may be made, tried in order: XDG_RUNTIME_DIR, the system's temporary folder, /tmp. */
  readonly socketParents: readonly string[];
  /** For what root's account may not reach in the data folder; default /var/lib/bailiwick. */
  readonly systemFolder?: string;
  /** Milliseconds; defaults 300,000, 10,000 and 5,000. */
  readonly readyLimitMs?: number;
  readonly fastStopMs?: number;
  readonly immediateStopMs?: number;
}

/** What a client needs to connect; the socket's folder stands for the host. */
export interface EmbeddedConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface EmbeddedPostgres {
  /** Stays the same over restarts. */
  readonly connection: EmbeddedConnection;
  /** Absolute path of the data directory. */
  readonly cluster: string;
  /** Whether this start made the cluster: it is empty. */
  readonly made: boolean;
  state(): PostgresState;
  /** Fast shutdown, bounded; leaves no process and no socket behind. */
  stop(): Promise<void>;
}

/** Brings PostgreSQL up on the data folder's cluster. Rejects, in words for the operator, where it cannot. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const uid = process.getuid?.();
  if (uid === undefined) throw new Error("The embedded PostgreSQL runs on Linux and macOS: give a --database-url.");
  const dataFolder = await realpath(options.dataFolder);
  const systemFolder = options.systemFolder ?? "/var/lib/bailiwick";
  const placement = await placeCluster({ dataFolder, installation: options.installation, systemFolder, uid });
  const { account, cluster } = placement;
  if (placement.explanation !== undefined) options.log("info", placement.explanation);
  const found = await findBinaries(process.platform, process.arch);
  const copies = join(uid === 0 ? systemFolder : dataFolder, "binaries");
  const binaries = await runnableBinaries(found, account, copies);
  if (binaries.copied) options.log("info", `PostgreSQL's binaries run from a copy in ${binaries.folder}.`);

  const socketFolder = await freshSocketFolder(dataFolder, options.socketParents, account);
  try {
    const { password, made } = await ensureCluster({
      cluster,
      account,
      dataFolder,
      binaries: binaries.folder,
      scratchFolder: socketFolder,
      randomBytes: options.randomBytes,
    });
    const supervisor = await supervise({
      cluster,
      account,
      socketFolder,
      binaries: binaries.folder,
      clock: options.clock,
      log: options.log,
      ...(options.onState === undefined ? {} : { onState: options.onState }),
      readyLimitMs: options.readyLimitMs ?? 300_000,
      fastStopMs: options.fastStopMs ?? 10_000,
      immediateStopMs: options.immediateStopMs ?? 5_000,
    });
    return {
      connection: { host: socketFolder, port: 5432, user, password, database },
      cluster,
      made,
      state: () => supervisor.state(),
      stop: async () => {
        await supervisor.stop();
        await removeSocketFolder(socketFolder);
      },
    };
  } catch (error) {
    await removeSocketFolder(socketFolder);
    throw error;
  }
}

const socketNote = "postgres.socket";

/** A fresh folder each start, noted in the data folder so that the next start removes the one a killed run left. */
async function freshSocketFolder(
  dataFolder: string,
  parents: readonly string[],
  account: Account | undefined,
): Promise<string> {
  const note = join(dataFolder, socketNote);
  const left = await readFile(note, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  if (basename(left.trim()).startsWith("bailiwick-")) await removeSocketFolder(left.trim());
  const folder = await makeSocketFolder({ parents, account, make: (prefix) => mkdtemp(prefix) });
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  await writeFile(note, `${folder}\n`, { mode: 0o600 });
  return folder;
}

/** Removes the files that we and PostgreSQL make there, then the folder where nothing else lies in it. */
async function removeSocketFolder(folder: string): Promise<void> {
  for (const name of [".s.PGSQL.5432", ".s.PGSQL.5432.lock", "initial-password"]) {
    await rm(join(folder, name), { force: true });
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTEMPTY" && error.code !== "ENOTDIR") throw error;
  });
}
