import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { broughtFolder, folderRecordName } from "./folder-record.ts";
import { sha256OfFile } from "./landing.ts";
import { isCode } from "./lock.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";

/** A model on this machine. It has all that an engine asks of a model file. */
export interface InstalledModel {
  readonly name: string;
  /** A GGUF file in the catalogue's folder, or a folder of the operator's in its own place. */
  readonly form: "gguf" | "folder";
  readonly path: string;
  /** Lower-case hex: of the file as it was pulled, or of the folder's files (folder-digest.ts). */
  readonly sha256: string;
  /** Whether the catalogue knew that digest before the pull, or names the folder's. */
  readonly verified: boolean;
  readonly sizeBytes: number;
  /** What the entry offers, and at most what the file says it was trained for. */
  readonly contextTokens: number;
  /** undefined: of a folder, whose engine looks for it. */
  readonly chatTemplate: Manifest["chatTemplate"] | undefined;
  readonly source: string;
  /** ISO 8601, UTC. */
  readonly pulledAt: string;
}

export type Inspection =
  | { readonly outcome: "absent" }
  | { readonly outcome: "intact"; readonly model: InstalledModel }
  /** The file is not the one that was pulled; `message` says how it differs. */
  | { readonly outcome: "corrupt"; readonly model: InstalledModel; readonly message: string };

/**
 * Whether a model's file is the one that was pulled. Quick: its size and modification time; where the time differs (a
 * copy, a restored backup) or `full` is asked, its digest decides.
 */
export async function inspectInstalled(
  folder: string,
  options: { readonly full: boolean; readonly signal?: AbortSignal },
): Promise<Inspection> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) return { outcome: "absent" };
  const model = describe(folder, manifest);
  const found = await statOf(model.path);
  if (found === undefined) return { outcome: "absent" };
  if (found.size !== manifest.sizeBytes) {
    const message = `The file of ${model.name} has ${found.size} bytes; it was pulled with ${manifest.sizeBytes}.`;
    return { outcome: "corrupt", model, message };
  }
  if (!options.full && found.mtimeMs === manifest.modifiedMs) return { outcome: "intact", model };
  const sha256 = await sha256OfFile(model.path, options.signal);
  if (sha256 !== manifest.sha256) {
    const message = `The file of ${model.name} has the SHA-256 ${sha256}; it was pulled with ${manifest.sha256}.`;
    return { outcome: "corrupt", model, message };
  }
  if (found.mtimeMs !== manifest.modifiedMs) await writeManifest(folder, { ...manifest, modifiedMs: found.mtimeMs });
  return { outcome: "intact", model };
}

/** Looks at nothing but the manifest: for listings. */
export async function readInstalled(folder: string): Promise<InstalledModel | undefined> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) return undefined;
  const model = describe(folder, manifest);
  return (await statOf(model.path)) === undefined ? undefined : model;
}

export async function removeInstalled(folder: string): Promise<void> {
  const manifest = await readManifest(folder);
  if (manifest !== undefined) await rm(join(folder, manifest.file), { force: true });
  await rm(join(folder, "manifest.json"), { force: true });
  // The folder that it tells of is the operator's, and stays.
  await rm(join(folder, folderRecordName), { force: true });
  // One that was brought here is the catalogue's own.
  await rm(broughtFolder(folder), { recursive: true, force: true });
}

function describe(folder: string, manifest: Manifest): InstalledModel {
  return {
    name: manifest.name,
    form: "gguf",
    path: join(folder, manifest.file),
    sha256: manifest.sha256,
    verified: manifest.verified,
    sizeBytes: manifest.sizeBytes,
    contextTokens: manifest.contextTokens,
    chatTemplate: manifest.chatTemplate,
    source: manifest.source,
    pulledAt: manifest.pulledAt,
  };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}
