import { copyFile, cp, link, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse, type Refusal } from "../base/index.ts";
import type { Backup } from "../gateway/index.ts";
import { copyLogs } from "../sequencing/index.ts";
import { dump } from "../store/index.ts";
import { identityFolder } from "./identity-folder.ts";
import type { OperationParts } from "./parts.ts";

/** What a backup holds beside the database's dump: identity, keys, the journal. */
export const backupParts = ["installation.json", "operator-token", "signing-keys"];
/** What it holds since there is a transparency log; `log` itself is copied in an order of its own. */
export const logParts = ["log-keys", "key-statements"];
/** And since hosts on other machines know the gateway by a key. */
export const joinParts = [identityFolder];

/**
 * A backup while serving: the journal's segments are held (by links, so that none that is shipped meanwhile is lost),
 * then the database is dumped as of one moment, then the segments are copied. What the journal holds beyond the dump's
 * watermark is shipped again after a restore, exactly once.
 */
export async function writeBackup(parts: OperationParts, to: string, signal: AbortSignal): Promise<Backup | Refusal> {
  const { folder, cloud } = parts;
  if ((await readdir(to).catch(() => [])).length > 0) {
    return refuse("invalid_request", `The folder ${to} is not empty.`, { param: "path" });
  }
  const held = join(folder.path, `backup-${cloud.clock.nowMs()}`);
  await mkdir(to, { recursive: true, mode: 0o700 });
  try {
    // What waits for the database lies in files that no backup takes.
    await parts.rights.contents.caughtUp();
    await holdSegments(join(folder.path, "journal"), held);
    const log = (): void => undefined;
    const dumped = await dump({ connection: parts.connection, to: join(to, "database"), clock: cloud.clock, log });
    if (dumped.outcome === "refused") return refuse("internal_error", dumped.message);
    signal.throwIfAborted();
    // Before the journal, which then reaches at least as far.
    await copyLogs(folder.path, to);
    await holdSegments(join(folder.path, "journal"), held);
    await mkdir(join(to, "journal"), { mode: 0o700 });
    for (const name of (await readdir(held)).toSorted()) await copyFile(join(held, name), join(to, "journal", name));
    for (const name of [...backupParts, ...logParts, ...joinParts])
      await cp(join(folder.path, name), join(to, name), { recursive: true });
  } finally {
    await rm(held, { recursive: true, force: true });
  }
  return { path: to, sizeBytes: await bytesBelow(to), takenAt: new Date(cloud.clock.nowMs()).toISOString() };
}

/** Links the segments that are there now; those held already stay. */
async function holdSegments(journal: string, held: string): Promise<void> {
  await mkdir(held, { recursive: true, mode: 0o700 });
  for (const name of await readdir(journal)) {
    await link(join(journal, name), join(held, name)).catch((error: NodeJS.ErrnoException) => {
      // Held already, or shipped and removed since it was listed.
      if (error.code !== "EEXIST" && error.code !== "ENOENT") throw error;
    });
  }
}

async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
