import { constants, copyFile, mkdir, readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Clock, refuse, type Refusal } from "../base/index.ts";
import { type Catalog, listFolder, sha256OfFile } from "../catalog/index.ts";
import { writeWhole } from "../installation/index.ts";
import type { BundleKey } from "./key.ts";
import { type BundledModel, fileName, signBundle, statementBytesMax, statementName } from "./statement.ts";

export interface Exported {
  readonly outcome: "exported";
  readonly path: string;
  readonly madeAt: string;
  readonly keyId: string;
  readonly models: readonly { readonly name: string; readonly sha256: string; readonly sizeBytes: number }[];
  /** Of all files. */
  readonly sizeBytes: number;
}

interface ExportOptions {
  readonly catalog: Catalog;
  readonly models: readonly string[];
  /** A folder that is empty or not there. */
  readonly to: string;
  readonly key: BundleKey;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears of each file that is copied. */
  readonly onFile: (model: string, path: string) => void;
}

/** A model's files as they lie here, by their paths in the model. */
type Sources = ReadonlyMap<string, string>;

/**
 * Writes pulled models to a folder, each verified byte for byte before. The statement is written last: a folder that has
 * none is no bundle.
 */
export async function exportBundle(options: ExportOptions): Promise<Exported | Refusal> {
  const { to, key, clock, onFile, signal } = options;
  const names = [...new Set(options.models)];
  if ((await readdir(to).catch(() => [])).length > 0) {
    return refuse("invalid_request", `The folder ${to} is not empty.`, { param: "to" });
  }
  const found = [];
  for (const name of names) {
    const model = await modelOf(options.catalog, name, signal);
    if ("outcome" in model) return model;
    found.push(model);
  }
  const madeAt = new Date(clock.nowMs()).toISOString();
  const models = found.map(({ model }) => model);
  const statement = signBundle({ madeAt, models }, key);
  if (Buffer.byteLength(statement) > statementBytesMax) {
    return refuse(
      "invalid_request",
      `A bundle's statement has at most ${statementBytesMax} bytes: export fewer models.`,
    );
  }
  await mkdir(join(to, "files"), { recursive: true });
  try {
    for (const { model, sources } of found) {
      for (const { path, sha256 } of model.files) {
        signal.throwIfAborted();
        onFile(model.entry.name, path);
        // A medium that can share blocks does; a file of that digest that another model brought is the same.
        await copyFile(sources.get(path)!, join(to, fileName(sha256)), constants.COPYFILE_FICLONE);
      }
    }
    writeWhole(join(to, statementName), statement, 0o644);
    const told = models.map(({ entry, files }) => ({
      name: entry.name,
      sha256: entry.sha256,
      sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }));
    const sizeBytes = told.reduce((sum, each) => sum + each.sizeBytes, 0);
    return { outcome: "exported", path: to, madeAt, keyId: key.activeKeyId, models: told, sizeBytes };
  } catch (error) {
    await rm(join(to, "files"), { recursive: true, force: true });
    throw error;
  }
}

async function modelOf(
  catalog: Catalog,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly model: BundledModel; readonly sources: Sources } | Refusal> {
  const [found, verified] = [await catalog.find(name), await catalog.verify(name, { full: true, signal })];
  if (found.outcome === "refused") return found;
  if (verified.outcome === "refused") return verified;
  const { form, path, sha256 } = verified.model;
  const entry = { ...found.entry, sha256 };
  if (form === "gguf") {
    const file = { path: basename(path), sha256, sizeBytes: (await stat(path)).size };
    return { model: { entry, form, files: [file] }, sources: new Map([[file.path, path]]) };
  }
  const listed = await listFolder(path);
  if (listed.outcome === "refused") return listed;
  const files = [];
  const sources = new Map<string, string>();
  for (const { path: below, sizeBytes } of listed.files) {
    const at = join(listed.root, below);
    files.push({ path: below, sha256: await sha256OfFile(at, signal), sizeBytes });
    sources.set(below, at);
  }
  return { model: { entry, form, files }, sources };
}
