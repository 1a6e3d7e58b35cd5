import { mkdir, stat } from "node:fs/promises";
import { type Clock, refuse, type Refusal } from "../base/index.ts";
import { type ModelEntry, sourcesOf } from "./entry.ts";
import { readFolderContext } from "./folder-config.ts";
import { digestFiles, folderSha256, isSame } from "./folder-digest.ts";
import { type FolderFile, listFolder, unusable } from "./folder-files.ts";
import { type FolderRecord, readFolderRecord, writeFolderRecord } from "./folder-record.ts";
import type { InstalledModel } from "./installed.ts";
import { takeLockIn } from "./lock.ts";
import type { PullProgress } from "./receive.ts";

/** The source of an entry that is a folder on this machine. */
export interface FolderSource {
  readonly text: string;
  readonly path: string;
}

export interface FolderContext {
  /** Where what was read is kept: the model's own folder in the catalogue's. */
  readonly folder: string;
  readonly clock: Clock;
  /** Whether everything is read anew, whatever sizes and times say. */
  readonly full: boolean;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: PullProgress) => void;
}

/**
 * The folder that an entry names; undefined where its sources are files. One that was served and is gone is still meant:
 * to say that it is missing is better than to look for a file of that name.
 */
export async function folderSourceOf(entry: ModelEntry, folder: string): Promise<FolderSource | undefined> {
  const recorded = (await readFolderRecord(folder))?.source;
  for (const { text, parts } of sourcesOf(entry)) {
    const [part] = parts;
    if (parts.length !== 1 || part?.kind !== "file") continue;
    const found = await whatIsAt(part.path);
    if (found === "folder" || (found === "nothing" && recorded === text)) return { text, path: part.path };
  }
  return undefined;
}

/** Why none of an entry's sources is a folder, one by one. */
export async function whyNoFolder(entry: ModelEntry): Promise<readonly string[]> {
  return Promise.all(
    sourcesOf(entry).map(async ({ text, parts: [part] }) => {
      if (part?.kind !== "file") return `${text}: it is a file`;
      const found = await whatIsAt(part.path);
      return `${text}: ${found === "nothing" ? "there is nothing there" : "it is a file"}`;
    }),
  );
}

async function whatIsAt(path: string): Promise<"folder" | "file" | "nothing"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    // Not there, or in a place that this user may not look into: whoever opens it says which.
    return "nothing";
  }
}

/**
 * A model that is a folder, looked at before it is served. It stays where it is. Its bytes are read where a file is not as
 * it was when they were last read. Refuses a folder that is no model, or not the one whose digest the entry states.
 */
export async function openFolderModel(
  entry: ModelEntry,
  source: FolderSource,
  context: FolderContext,
): Promise<InstalledModel | Refusal> {
  const listed = await listFolder(source.path);
  if (listed.outcome === "refused") return listed;
  const { root, files } = listed;
  if (!files.some(({ path }) => path === "config.json")) return unusable(source.path, "it holds no config.json");
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  if (entry.sizeBytes !== undefined && sizeBytes !== entry.sizeBytes) {
    return unusable(source.path, `its files have ${sizeBytes} bytes, ${entry.sizeBytes} are expected`);
  }
  const before = await readFolderRecord(context.folder);
  const isAsBefore = before !== undefined && before.source === source.text && isUnchanged(before, root, files);
  const record = isAsBefore && !context.full ? before : await readAnew(entry, source, { root, files }, context);
  if ("outcome" in record) return record;
  return installedFolder(entry, record) ?? refuseDigest(entry, record, before);
}

/** What was last read of an entry's folder, for listings; undefined where it is another's, or gone. */
export async function readInstalledFolder(entry: ModelEntry, folder: string): Promise<InstalledModel | undefined> {
  const record = await readFolderRecord(folder);
  const model = record === undefined ? undefined : installedFolder(entry, record);
  return model !== undefined && (await whatIsAt(model.path)) === "folder" ? model : undefined;
}

function installedFolder(entry: ModelEntry, record: FolderRecord): InstalledModel | undefined {
  if (!entry.sources.includes(record.source)) return undefined;
  if (entry.sha256 !== undefined && entry.sha256 !== record.sha256) return undefined;
  return {
    name: entry.name,
    form: "folder",
    path: record.path,
    sha256: record.sha256,
    verified: entry.sha256 !== undefined,
    sizeBytes: record.sizeBytes,
    contextTokens: Math.min(entry.contextTokens, record.contextTokens ?? entry.contextTokens),
    chatTemplate: undefined,
    source: record.source,
    pulledAt: record.readAt,
  };
}

function isUnchanged(record: FolderRecord, root: string, files: readonly FolderFile[]): boolean {
  if (record.path !== root || record.files.length !== files.length) return false;
  return files.every((file, index) => isSame(file, record.files[index]!));
}

/** Kept also where the digest is not the stated one: who corrects the entry need not wait for the bytes again. */
async function readAnew(
  entry: ModelEntry,
  { text }: FolderSource,
  { root, files }: { readonly root: string; readonly files: readonly FolderFile[] },
  { folder, clock, full, signal: stopped, onProgress }: FolderContext,
): Promise<FolderRecord | Refusal> {
  await mkdir(folder, { recursive: true });
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const tell = (phase: "waiting" | "checking", receivedBytes: number): void =>
    onProgress({ phase, source: text, receivedBytes, totalBytes: sizeBytes });
  const lock = await takeLockIn(folder, { clock, signal: stopped, onWait: () => tell("waiting", 0) });
  try {
    const before = full ? undefined : await readFolderRecord(folder);
    const earlier = before?.path === root ? before.files : [];
    const digested = await digestFiles(root, files, {
      earlier,
      signal: lock.signal,
      onBytes: (doneBytes) => tell("checking", doneBytes),
    });
    if (digested.outcome === "refused") return digested;
    const context = await readFolderContext(root);
    if (context.outcome === "refused") return context;
    const record: FolderRecord = {
      version: 1,
      name: entry.name,
      source: text,
      path: root,
      sha256: folderSha256(digested.files),
      sizeBytes,
      contextTokens: context.contextTokens ?? null,
      readAt: new Date(clock.nowMs()).toISOString(),
      files: [...digested.files],
    };
    await writeFolderRecord(folder, record);
    return record;
  } finally {
    await lock.release();
  }
}

const mostNamed = 5;

function refuseDigest(entry: ModelEntry, record: FolderRecord, before: FolderRecord | undefined): Refusal {
  const earlier = new Map(before?.files.map(({ path, sha256 }) => [path, sha256]));
  const changed = before === undefined ? [] : record.files.filter(({ path, sha256 }) => earlier.get(path) !== sha256);
  const names = changed.slice(0, mostNamed).map(({ path }) => path);
  const more = changed.length > mostNamed ? " and more" : "";
  const which = names.length === 0 ? "" : ` Changed since it was last read: ${names.join(", ")}${more}.`;
  return refuse(
    "model_invalid",
    `The folder ${record.path} has the SHA-256 ${record.sha256}; ${entry.name} is to have ${entry.sha256}.${which}`,
  );
}
