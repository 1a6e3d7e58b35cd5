import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { refuse, type Refusal } from "../base/index.ts";
import type { Catalog, PullProgress } from "../catalog/index.ts";
import { type Bundle, fileName, openStatement, statementBytesMax, statementName } from "./statement.ts";

interface ReadBundle extends Bundle {
  readonly outcome: "read";
  readonly keyId: string;
}

export interface Imported {
  readonly outcome: "imported";
  readonly madeAt: string;
  readonly keyId: string;
  readonly models: readonly { readonly name: string; readonly sha256: string; readonly wasHere: boolean }[];
}

/** What a bundle holds, by its statement alone, signed by one of these keys (a JSON Web Key Set). */
export async function readBundle(from: string, jwks: Buffer): Promise<ReadBundle | Refusal> {
  const path = join(from, statementName);
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
    return undefined;
  });
  if (found === undefined || !found.isFile()) {
    return refuse("model_invalid", `${from} is no bundle: it has no ${statementName}.`);
  }
  if (found.size > statementBytesMax) {
    return refuse("model_invalid", `${path} has more than ${statementBytesMax} bytes.`);
  }
  const opened = openStatement(await readFile(path), jwks);
  return opened.outcome === "refused" ? opened : { outcome: "read", keyId: opened.keyId, ...opened.bundle };
}

/**
 * Takes the models of a bundle into the catalogue, one after the other; each is whole there, or not at all. Stops at the
 * first that cannot be taken: what came before it stays, and is not copied again.
 */
export async function importBundle(options: {
  readonly catalog: Catalog;
  readonly from: string;
  readonly jwks: Buffer;
  readonly signal: AbortSignal;
  readonly onProgress: (model: string, progress: PullProgress) => void;
}): Promise<Imported | Refusal> {
  const { catalog, from, signal } = options;
  const read = await readBundle(from, options.jwks);
  if (read.outcome === "refused") return read;
  const models = [];
  for (const { entry, form, files } of read.models) {
    const brought = { entry, form, files: files.map((file) => ({ ...file, at: join(from, fileName(file.sha256)) })) };
    const taken = await catalog.take(brought, {
      signal,
      onProgress: (progress) => options.onProgress(entry.name, progress),
    });
    if (taken.outcome === "refused") return taken;
    models.push({ name: entry.name, sha256: taken.model.sha256, wasHere: !taken.downloaded });
  }
  return { outcome: "imported", madeAt: read.madeAt, keyId: read.keyId, models };
}
