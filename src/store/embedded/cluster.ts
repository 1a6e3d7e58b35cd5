import { access, chown, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Account, runCommand } from "./account.ts";

/** The role that owns the database; the only one besides PostgreSQL's built-in ones. */
export const user = "bailiwick";
export const database = "postgres";

/**
 * Small on purpose: the database keeps books for one machine's accelerators and shares that machine with them. They
 * stand in the cluster's postgresql.conf, where the operator may change them; what must hold is given at each start.
 */
const settings: Readonly<Record<string, string>> = {
  max_connections: "40",
  shared_buffers: "64MB",
  max_wal_size: "512MB",
  checkpoint_timeout: "15min",
  // No replicas and no archive hang on an embedded cluster, so its log need not carry what they would want.
  wal_level: "minimal",
  // A new file of its log is 16 MiB of zeros at one go, which the journal's syncs would wait behind.
  wal_init_zero: "off",
  max_wal_senders: "0",
  jit: "off",
  io_method: "sync",
  timezone: "UTC",
  log_timezone: "UTC",
};

export interface ClusterOptions {
  readonly cluster: string;
  readonly binaries: string;
  readonly account: Account | undefined;
  readonly dataFolder: string;
  readonly randomBytes: (count: number) => Buffer;
  /** A 0700 folder that the account may enter; the password passes through it to initdb. */
  readonly scratchFolder: string;
}

/** Makes the cluster where there is none yet; returns the role's password. Cut off and started again it starts over. */
export async function ensureCluster(options: ClusterOptions): Promise<{ password: string; made: boolean }> {
  const { randomBytes: draw } = options;
  const version = await readIfThere(join(options.cluster, "PG_VERSION"));
  const passwordFile = join(options.dataFolder, "postgres-password");
  const password = (await readIfThere(passwordFile))?.trim();
  if (version !== undefined) {
    await refuseOtherVersion(options, version.trim());
    if (password === undefined || password === "") {
      throw new Error(`The database's password is missing: put ${passwordFile} back, or restore a backup.`);
    }
    return { password, made: false };
  }
  if (await isThere(options.cluster)) {
    throw new Error(`${options.cluster} is there and holds no database: move it away, then start again.`);
  }
  const fresh = password ?? draw(24).toString("base64url");
  if (password === undefined) await writeWhole(passwordFile, `${fresh}\n`);
  await initialise(options, fresh);
  return { password: fresh, made: true };
}

async function initialise(options: ClusterOptions, password: string): Promise<void> {
  const { account, cluster } = options;
  const partial = `${cluster}.new`;
  const passwordPath = join(options.scratchFolder, "initial-password");
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await writeFile(passwordPath, password, { mode: 0o600 });
  try {
    if (account !== undefined) {
      await chown(partial, account.uid, account.gid);
      await chown(passwordPath, account.uid, account.gid);
    }
    const result = await runCommand(
      join(options.binaries, "bin", "initdb"),
      [
        `--pgdata=${partial}`,
        `--username=${user}`,
        `--pwfile=${passwordPath}`,
        "--auth-local=scram-sha-256",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        // The built-in provider sorts the same on every machine, whatever locales it has.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        ...Object.entries(settings).map(([name, value]) => `--set=${name}=${value}`),
      ],
      account,
    );
    if (result.status !== 0) throw new Error(`PostgreSQL's initdb failed:\n${result.output}`);
  } finally {
    await rm(passwordPath, { force: true });
  }
  await rename(partial, cluster);
  await syncFolder(dirname(cluster));
}

/** A data directory can only be opened by the major version that made it. */
async function refuseOtherVersion(options: ClusterOptions, made: string): Promise<void> {
  const result = await runCommand(join(options.binaries, "bin", "postgres"), ["--version"], options.account);
  const ours = /(\d+)(?:\.\d+)?/.exec(result.output)?.[1];
  if (ours === made) return;
  throw new Error(
    `The database in ${options.cluster} was made by PostgreSQL ${made}, and this release brings ${ours ?? "another"}: ` +
      "take a backup with the release that made it and restore it with this one.",
  );
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false, // Absent: initdb makes it.
  );
}
