import { chmod, chown, lstat, mkdir, readFile, realpath, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Account, mayEnter, unprivilegedAccount } from "./account.ts";

/** Where a cluster lies and who runs it. */
export interface Placement {
  /** PostgreSQL's data directory, absolute; it may not exist yet. */
  readonly cluster: string;
  /** undefined: PostgreSQL runs as we do. */
  readonly account: Account | undefined;
  /** One sentence for the log where the cluster lies outside the data folder. */
  readonly explanation: string | undefined;
}

export interface PlacementOptions {
  /** Absolute path of Bailiwick's data folder; it exists. */
  readonly dataFolder: string;
  readonly installation: string;
  /** For clusters that cannot lie in the data folder, e.g. /var/lib/bailiwick. */
  readonly systemFolder: string;
  /** Our own user id. */
  readonly uid: number;
}

const pointerName = "postgres.location";

/**
 * A normal user's cluster lies in the data folder. As root PostgreSQL runs as another account, and where that account
 * cannot be let into the data folder the cluster lies in the system folder; a small file in the data folder says where.
 */
export async function placeCluster(options: PlacementOptions): Promise<Placement> {
  const inside = join(options.dataFolder, "postgres");
  const pointer = await readPointer(options.dataFolder);
  const cluster = pointer ?? inside;
  const owner = await ownerOf(cluster);
  if (options.uid !== 0) {
    refuseForeignOwner(cluster, owner, options.uid);
    return { cluster, account: undefined, explanation: undefined };
  }
  if (owner?.uid === 0) {
    throw new Error(`${cluster} belongs to root, and PostgreSQL refuses root: give it to the user that ran it before.`);
  }
  // A cluster keeps the account that it was made under: its files belong to it.
  const account = owner ?? (await unprivilegedAccount());
  if (pointer !== undefined) {
    await claim(dirname(pointer), options.dataFolder);
    return { cluster, account, explanation: explain(cluster, account) };
  }
  if (await letIn(account, options.dataFolder)) return { cluster, account, explanation: undefined };
  if (owner !== undefined) {
    throw new Error(
      `User ${account.name} may no longer enter ${options.dataFolder}, where its database lies: ` +
        `allow it (chmod o+x on that folder and those above it).`,
    );
  }
  return placeOutside(options, account);
}

/**
 * A data folder that is root's alone is opened to the account's group, to pass through and not to list, so that the
 * database lies with the rest and is moved and removed with it. Nobody else gets in, and no other folder is changed.
 */
async function letIn(account: Account, dataFolder: string): Promise<boolean> {
  if (await mayEnter(account, dataFolder)) return true;
  const { uid, mode } = await stat(dataFolder);
  if (uid !== 0 || (mode & 0o077) !== 0 || !(await mayEnter(account, dirname(dataFolder)))) return false;
  await chown(dataFolder, 0, account.gid);
  await chmod(dataFolder, 0o710);
  return mayEnter(account, dataFolder);
}

async function placeOutside(options: PlacementOptions, account: Account): Promise<Placement> {
  const folder = join(options.systemFolder, options.installation);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  // The account only passes through; what lies in the folder has its own permissions.
  await chmod(folder, 0o711);
  if (!(await mayEnter(account, folder))) {
    throw new Error(
      `User ${account.name} may enter neither ${options.dataFolder} nor ${folder}: allow one of them (chmod o+x), ` +
        "start as a normal user, or give a database by --database-url.",
    );
  }
  await claim(folder, options.dataFolder);
  const cluster = join(folder, "postgres");
  await writeFile(join(options.dataFolder, `${pointerName}.new`), `${cluster}\n`, { mode: 0o600, flush: true });
  await rename(join(options.dataFolder, `${pointerName}.new`), join(options.dataFolder, pointerName));
  return { cluster, account, explanation: explain(cluster, account) };
}

function explain(cluster: string, account: Account): string {
  return (
    `The database lies in ${cluster}: PostgreSQL refuses root, and user ${account.name}, as which it runs, ` +
    "may not enter the data folder."
  );
}

async function readPointer(dataFolder: string): Promise<string | undefined> {
  const text = await readFile(join(dataFolder, pointerName), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return text?.trim();
}

/**
 * A folder outside belongs to one data folder. A copy of a data folder carries a copy of the pointer, and starting both
 * would stop each other's PostgreSQL: the second is refused. A data folder that has only moved takes its folder along.
 */
async function claim(folder: string, dataFolder: string): Promise<void> {
  const path = join(folder, "data-folder");
  const ours = await realpath(dataFolder);
  const holder = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  const held = holder?.trim();
  if (held === ours) return;
  if (held !== undefined && (await ownerOf(join(held, pointerName))) !== undefined) {
    throw new Error(
      `The database in ${folder} belongs to the data folder ${held}, and ${ours} looks like a copy of it: ` +
        "use `npx bailiwick backup` and `npx bailiwick restore` to make a second installation.",
    );
  }
  await writeFile(path, `${ours}\n`, { mode: 0o600, flush: true });
}

async function ownerOf(path: string): Promise<Account | undefined> {
  try {
    const { uid, gid } = await lstat(path);
    return { uid, gid, name: String(uid) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function refuseForeignOwner(cluster: string, owner: Account | undefined, uid: number): void {
  if (owner === undefined || owner.uid === uid) return;
  throw new Error(
    `The database in ${cluster} belongs to user ${owner.uid}, and this process runs as ${uid}: start as that user, ` +
      "or as root.",
  );
}

export interface SocketFolderOptions {
  /** Folders to try in order, e.g. XDG_RUNTIME_DIR, the system's temporary folder, /tmp. */
  readonly parents: readonly string[];
  readonly account: Account | undefined;
  /** Makes a fresh 0700 folder whose path starts with the prefix. */
  readonly make: (prefix: string) => Promise<string>;
}

/** A Unix socket's path holds 107 bytes on Linux and 103 on macOS; PostgreSQL adds "/.s.PGSQL.5432" to the folder. */
const socketPathBytes = 103;
const socketNameBytes = "/.s.PGSQL.5432".length;
const randomBytes = 6;

/** A fresh folder for the socket, short enough and open to the account. */
export async function makeSocketFolder(options: SocketFolderOptions): Promise<string> {
  for (const parent of options.parents) {
    const prefix = join(parent, "bailiwick-");
    if (Buffer.byteLength(prefix) + randomBytes + socketNameBytes > socketPathBytes) continue;
    if (!(await isFolder(parent)) || !(await mayEnter(options.account, parent))) continue;
    return options.make(prefix);
  }
  throw new Error(
    `No folder for PostgreSQL's socket among ${options.parents.join(", ")}: ` +
      `it must exist, be open to the database's user and have a path shorter than ${socketPathBytes - 30} bytes.`,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false, // Not there: the next one is tried.
  );
}
