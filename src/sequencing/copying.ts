import { copyFile, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * Copies the logs of a data folder while the last one is written to: its checkpoint, then its state, then the rest, so
 * that the copy never shows more than it has (docs/reference/log.md, "Damage").
 */
export async function copyLogs(data: string, to: string): Promise<void> {
  const logs = join(data, "log");
  for (const generation of (await namesIn(logs)).filter((name) => /^\d+$/.test(name))) {
    const from = join(logs, generation);
    const copied = new Set<string>();
    for (const first of ["checkpoint", "state"]) await copyOne(from, join(to, "log", generation), first, copied);
    // A partial tile may be removed meanwhile; the full one that takes its place is found the second time.
    for (let pass = 0; pass < 2; pass++) {
      for (const path of await filesBelow(from)) await copyOne(from, join(to, "log", generation), path, copied);
    }
  }
}

async function copyOne(from: string, to: string, path: string, copied: Set<string>): Promise<void> {
  if (copied.has(path) || path.endsWith(".new")) return;
  await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
  try {
    await copyFile(join(from, path), join(to, path));
    copied.add(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
