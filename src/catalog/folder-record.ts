import { join } from "node:path";
import { z } from "zod";
import { readJson, writeJson } from "./manifest.ts";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What was last read of a model's folder: so long as its files stay as they are, their bytes need not be read again. */
const recordSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(200),
  source: z.string(),
  /** The folder itself, without links. */
  path: z.string(),
  sha256,
  sizeBytes: z.int().min(0),
  /** As its config.json says; null where it does not. */
  contextTokens: z.int().min(1).nullable(),
  /** When its digest was last computed from bytes. */
  readAt: z.iso.datetime(),
  files: z.array(z.strictObject({ path: z.string(), sizeBytes: z.int().min(0), modifiedMs: z.number(), sha256 })),
});

export type FolderRecord = z.infer<typeof recordSchema>;

export const folderRecordName = "folder.json";
/** Room for as many files as a folder may hold, with paths as long as they may be. */
const mostBytes = 2 * 1024 * 1024;

/** Undefined where there is none, or where it is not one that this version wrote: everything is then read. */
export async function readFolderRecord(folder: string): Promise<FolderRecord | undefined> {
  const parsed = recordSchema.safeParse(await readJson(join(folder, folderRecordName), mostBytes));
  return parsed.success ? parsed.data : undefined;
}

export async function writeFolderRecord(folder: string, record: FolderRecord): Promise<void> {
  await writeJson(join(folder, folderRecordName), record);
}

/** Where the files of a folder stand that was brought here: the catalogue's own, unlike those that are served where they lie. */
export function broughtFolder(modelFolder: string): string {
  return join(modelFolder, "files");
}
