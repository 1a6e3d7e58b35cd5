import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isCode } from "./lock.ts";

/** What a pull recorded about the file that lies beside it. */
const manifestSchema = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(200),
  file: z.string().regex(/^[a-z0-9][a-z0-9._~-]{0,127}\.gguf$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().min(1),
  /** The file's modification time when its digest was last computed: a quick look needs no hashing. */
  modifiedMs: z.number(),
  /** Whether the digest equals one that the catalogue knew before the pull. */
  verified: z.boolean(),
  source: z.string(),
  pulledAt: z.iso.datetime(),
  contextTokens: z.int().min(1),
  chatTemplate: z.enum(["present", "absent", "oversized"]),
});

export type Manifest = z.infer<typeof manifestSchema>;

const manifestName = "manifest.json";
const mostBytes = 64 * 1024;

/** A folder's manifest; undefined where there is none, or where it is not one that this version wrote. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  const content = await readJson(join(folder, manifestName));
  const parsed = manifestSchema.safeParse(content);
  return parsed.success ? parsed.data : undefined;
}

export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeJson(join(folder, manifestName), manifest);
}

/** A small JSON file; undefined where it is absent, too large or not JSON. */
export async function readJson(path: string, limitBytes = mostBytes): Promise<unknown> {
  try {
    const bytes = await readFile(path);
    return bytes.length > limitBytes ? undefined : JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    // Half-written or foreign content counts as absent: what it described is then looked at anew.
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR") || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the file at once, so that a reader sees the old content or the new. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o644, flush: true });
  await rename(`${path}.new`, path);
}
