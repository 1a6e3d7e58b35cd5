import { stat } from "node:fs/promises";
import { RefusalError } from "../base/index.ts";
import { listFolder } from "./folder-files.ts";

/**
 * What tells a model's file, or the files of its folder that its digest covers, from others in their place without reading
 * them: sizes and times. Who has verified the digest takes it down; who loads the model later refuses what is not the same.
 * Rejects where it cannot be looked at.
 */
export async function identityOf(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isDirectory()) return `${found.ino} ${found.size} ${found.mtimeMs}`;
  const listed = await listFolder(path);
  if (listed.outcome === "refused") throw new RefusalError(listed);
  return listed.files.map(({ path: name, sizeBytes, modifiedMs }) => `${sizeBytes} ${modifiedMs} ${name}`).join("\n");
}
