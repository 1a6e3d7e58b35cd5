import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { nearest, refuse, type Refusal } from "../base/index.ts";
import { type Brought, landFolder, whyNoFile } from "./brought.ts";
import { folderName, type ModelEntry, parseEntry } from "./entry.ts";
import { folderSourceOf, openFolderModel, readInstalledFolder, whyNoFolder } from "./folder-model.ts";
import { broughtFolder } from "./folder-record.ts";
import { type ModelShape, readGguf } from "./gguf.ts";
import { inspectInstalled, type InstalledModel, readInstalled, removeInstalled } from "./installed.ts";
import { isCode, takeLock } from "./lock.ts";
import { readJson, writeJson } from "./manifest.ts";
import { type PullContext, pullModel, type PullOptions, type PullResult } from "./pull.ts";
import type { PullProgress } from "./receive.ts";
import { shippedEntries } from "./shipped.ts";

export interface CatalogModel {
  readonly outcome: "found";
  readonly entry: ModelEntry;
  /** Who listed it: Bailiwick, the settings, or `bailiwick model add`. */
  readonly origin: "shipped" | "settings" | "added";
  readonly installed: InstalledModel | undefined;
}

/** The models that this installation knows, and the files of those that it has. */
export interface Catalog {
  list(): Promise<readonly CatalogModel[]>;
  find(name: string): Promise<CatalogModel | Refusal>;
  /** Keeps an entry of the operator's; its form is that of the settings' `models.entries`. */
  add(input: unknown): Promise<CatalogModel | Refusal>;
  pull(name: string, options?: PullOptions): Promise<PullResult>;
  /**
   * Takes a model from files on this machine, checked as a pull checks them. Its entry is kept where the catalogue has
   * none of that name; one of another digest is refused (`name_taken`).
   */
  take(brought: Brought, options?: PullOptions): Promise<PullResult>;
  /**
   * The model's file or folder, looked at before it is served: quickly, or with `full` by its digest. Refuses a model
   * that was not pulled (`model_not_found`) and a file that is no longer the one that was pulled, a folder that is not
   * the one whose digest the entry states, and what is not of the wanted form (`model_invalid`).
   */
  verify(name: string, options?: VerifyOptions): Promise<Verified | Refusal>;
  /** What the model's file says of itself. */
  shape(name: string): Promise<ModelShape | Refusal>;
  /** Removes a model's file, and an entry that was added. `isServed` says whether an engine has it. */
  remove(name: string, isServed: (name: string) => boolean): Promise<Removed | Refusal>;
}

export interface VerifyOptions {
  readonly full?: boolean;
  readonly signal?: AbortSignal;
  /** Hears of bytes that are read: of a folder, at its first use and where its files changed. */
  readonly onProgress?: (progress: PullProgress) => void;
  /** What the caller can use, and why, as the end of a sentence. Left out: either. */
  readonly wanted?: { readonly form: InstalledModel["form"]; readonly why: string };
}

export interface Verified {
  readonly outcome: "verified";
  readonly model: InstalledModel;
}

export interface Removed {
  readonly outcome: "removed";
  readonly fileRemoved: boolean;
  readonly entryRemoved: boolean;
}

export interface CatalogContext extends PullContext {
  /** The settings' `models.entries`: they stand before a shipped entry of the same name. */
  readonly entries: readonly unknown[];
}

const mostAdded = 1_000;
/** How many names a refusal lists where none is near. */
const namesShown = 20;
const entryFile = "entry.json";

/** Opens the catalogue of a folder; refuses settings' entries that are not valid, naming the field. */
export async function openCatalog(
  context: CatalogContext,
): Promise<{ readonly outcome: "opened"; readonly catalog: Catalog } | Refusal> {
  const listed = new Map<string, Pick<CatalogModel, "entry" | "origin">>();
  for (const entry of shippedEntries) listed.set(entry.name, { entry, origin: "shipped" });
  for (const input of context.entries) {
    const parsed = parseEntry(input);
    if (parsed.outcome === "refused") return parsed;
    listed.set(parsed.entry.name, { entry: parsed.entry, origin: "settings" });
  }
  return { outcome: "opened", catalog: createCatalog(context, listed) };
}

function createCatalog(
  context: CatalogContext,
  listed: ReadonlyMap<string, Pick<CatalogModel, "entry" | "origin">>,
): Catalog {
  const folderOf = (name: string) => join(context.folder, folderName(name));

  const known = async (name: string): Promise<Pick<CatalogModel, "entry" | "origin"> | undefined> => {
    const found = listed.get(name);
    if (found !== undefined) return found;
    const entry = await readAdded(folderOf(name));
    return entry?.name === name ? { entry, origin: "added" } : undefined;
  };

  const installedOf = async (entry: ModelEntry): Promise<InstalledModel | undefined> =>
    (await readInstalledFolder(entry, folderOf(entry.name))) ?? readInstalled(folderOf(entry.name));

  const list = async (): Promise<readonly CatalogModel[]> => {
    const added = (await readAllAdded(context.folder)).filter((entry) => !listed.has(entry.name));
    const rows = [...listed.values(), ...added.map((entry) => ({ entry, origin: "added" as const }))];
    return Promise.all(
      rows.map(async (row) => ({
        outcome: "found" as const,
        ...row,
        installed: await installedOf(row.entry),
      })),
    );
  };

  const unknown = async (name: string): Promise<Refusal> => {
    const names = (await list()).map((row) => row.entry.name);
    const near = nearest(name, names);
    const shown = `${names.slice(0, namesShown).join(", ")}${names.length > namesShown ? " and more" : ""}`;
    const hint = near === undefined ? `It has ${shown}.` : `Did you mean ${near}?`;
    return refuse("model_not_found", `The catalogue has no model ${name.slice(0, 200)}. ${hint}`, { param: "model" });
  };

  const verify: Catalog["verify"] = async (name, options = {}) => {
    const opened = await openIfFolder((await known(name))?.entry, context, options);
    if (opened !== undefined) return "outcome" in opened ? opened : { outcome: "verified", model: opened };
    const { full = false, signal } = options;
    const found = await inspectInstalled(folderOf(name), { full, ...(signal === undefined ? {} : { signal }) });
    if (found.outcome === "intact") return { outcome: "verified", model: found.model };
    if (found.outcome === "corrupt") return refuse("model_invalid", found.message);
    if ((await known(name)) === undefined) return unknown(name);
    const message = `The model ${name} was not pulled; bailiwick model pull ${name} fetches it.`;
    return refuse("model_not_found", message, { param: "model" });
  };

  const add: Catalog["add"] = async (input) => {
    const parsed = parseEntry(input);
    if (parsed.outcome === "refused") return parsed;
    const { entry } = parsed;
    if ((await known(entry.name)) !== undefined) {
      return refuse("name_taken", `The catalogue already has a model ${entry.name}.`, { param: "name" });
    }
    if ((await readAllAdded(context.folder)).length >= mostAdded) {
      return refuse("invalid_request", `At most ${mostAdded} models can be added; remove one first.`);
    }
    await mkdir(folderOf(entry.name), { recursive: true });
    await writeJson(join(folderOf(entry.name), entryFile), entry);
    return { outcome: "found", entry, origin: "added", installed: await installedOf(entry) };
  };

  const pull: Catalog["pull"] = async (name, options = {}) => {
    const found = await known(name);
    if (found === undefined) return unknown(name);
    const opened = await openIfFolder(found.entry, context, options);
    if (opened === undefined) return pullModel(found.entry, context, options);
    return "outcome" in opened ? opened : { outcome: "pulled", model: opened, downloaded: false, failures: [] };
  };

  const take: Catalog["take"] = async (brought, options = {}) => {
    const { name, sha256 } = brought.entry;
    const before = (await known(name))?.entry;
    if (before?.sha256 !== undefined && before.sha256 !== sha256) {
      const message = `The catalogue's ${name} has the SHA-256 ${before.sha256}, the one that was brought ${sha256}.`;
      return refuse("name_taken", message, { param: "name" });
    }
    if (brought.form === "folder") return takeFolder(brought, before, options);
    const [file] = brought.files;
    const wrong = file === undefined ? refuse("model_invalid", `${name} has no file.`) : await whyNoFile(file);
    if (wrong !== undefined) return wrong;
    const added = before === undefined ? await add(brought.entry) : undefined;
    if (added?.outcome === "refused") return added;
    return pullModel({ ...(before ?? brought.entry), sha256 }, context, { ...options, from: file!.at });
  };

  const takeFolder = async (brought: Brought, before: ModelEntry | undefined, options: PullOptions) => {
    const { name } = brought.entry;
    const source = `file:${broughtFolder(folderOf(name))}`;
    if (before !== undefined && !before.sources.includes(source)) {
      const message = `The catalogue's ${name} is a folder elsewhere (${before.sources.join(", ")}): remove that entry first.`;
      return refuse("name_taken", message, { param: "name" });
    }
    const here = before === undefined ? undefined : await pull(name, options);
    if (here?.outcome === "pulled") return here;
    const landed = await landFolder(brought, context, options);
    if (landed.outcome === "refused") return landed;
    const added = before === undefined ? await add({ ...brought.entry, sources: [source] }) : undefined;
    if (added?.outcome === "refused") return added;
    const pulled = await pull(name, options);
    return pulled.outcome === "pulled" ? { ...pulled, downloaded: true } : pulled;
  };

  return {
    list,
    add,
    pull,
    take,
    verify,
    async find(name) {
      const found = await known(name);
      if (found === undefined) return unknown(name);
      return { outcome: "found", ...found, installed: await installedOf(found.entry) };
    },
    async shape(name) {
      const found = await verify(name, {
        wanted: { form: "gguf", why: "what it is like is read from GGUF files only" },
      });
      return found.outcome === "refused" ? found : readGguf(found.model.path);
    },
    async remove(name, isServed) {
      const found = await known(name);
      const installed = await readInstalled(folderOf(name));
      if (found === undefined && installed === undefined) return unknown(name);
      if (isServed(name)) return refuse("model_in_use", `The model ${name} is being served.`);
      const lock = await takeLock(join(folderOf(name), "lock"), { clock: context.clock }).catch(absentFolder);
      if (lock === undefined) return { outcome: "removed", fileRemoved: false, entryRemoved: false };
      try {
        await removeInstalled(folderOf(name));
        await rm(join(folderOf(name), entryFile), { force: true });
      } finally {
        await lock.release();
      }
      return { outcome: "removed", fileRemoved: installed !== undefined, entryRemoved: found?.origin === "added" };
    },
  };
}

/** Of an entry whose source is a folder; undefined for others. */
async function openIfFolder(
  entry: ModelEntry | undefined,
  { folder: models, clock }: CatalogContext,
  { full = false, signal, onProgress = () => {}, wanted }: VerifyOptions,
): Promise<InstalledModel | Refusal | undefined> {
  if (entry === undefined) return undefined;
  const folder = join(models, folderName(entry.name));
  const source = await folderSourceOf(entry, folder);
  if (source === undefined && wanted?.form === "folder") {
    const message = `The model ${entry.name} is not a folder: ${wanted.why}.`;
    return refuse("model_invalid", message, { reasons: await whyNoFolder(entry) });
  }
  if (source === undefined) return undefined;
  if (wanted?.form === "gguf") {
    return refuse("model_invalid", `The model ${entry.name} is the folder ${source.path}: ${wanted.why}.`);
  }
  return openFolderModel(entry, source, { folder, clock, full, signal, onProgress });
}

/** A model that was never pulled has no folder, and so nothing to lock or to remove. */
function absentFolder(error: unknown): undefined {
  if (!isCode(error, "ENOENT")) throw error;
  return undefined;
}

/** The folder is made by the first who keeps something in it: to look at the catalogue leaves no trace. */
function noFolder(error: unknown): string[] {
  if (!isCode(error, "ENOENT")) throw error;
  return [];
}

async function readAdded(folder: string): Promise<ModelEntry | undefined> {
  const content = await readJson(join(folder, entryFile));
  if (content === undefined) return undefined;
  const parsed = parseEntry(content);
  return parsed.outcome === "parsed" ? parsed.entry : undefined;
}

async function readAllAdded(folder: string): Promise<readonly ModelEntry[]> {
  const names = (await readdir(folder).catch(noFolder)).slice(0, mostAdded * 2);
  const entries = await Promise.all(names.map((name) => readAdded(join(folder, name))));
  return entries.filter((entry) => entry !== undefined).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
