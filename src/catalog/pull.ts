import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse, type Refusal } from "../base/index.ts";
import { freeBytesOf, type FreeBytes, refuseIfDiskFull } from "./disk.ts";
import { folderName, type ModelEntry, sourcesOf } from "./entry.ts";
import { readGguf } from "./gguf.ts";
import type { HubSettings } from "./hub.ts";
import { inspectInstalled, type InstalledModel } from "./installed.ts";
import type { Landing } from "./landing.ts";
import { takeLockIn } from "./lock.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";
import type { PipContext } from "./pip.ts";
import { type PullProgress, receive, type ReceiveContext } from "./receive.ts";
import { fileSource, type Source } from "./source.ts";

/** What a pull needs of the world around it. */
export interface PullContext extends Pick<PipContext, "clock" | "environment" | "runCommand"> {
  /** The folder that holds a folder for each model. */
  readonly folder: string;
  readonly hub: HubSettings;
  /** Whether models come from files only; left out: they do not. */
  readonly airGapped?: boolean;
  readonly freeBytes?: FreeBytes;
  /** The pause before a broken download is continued; default 1,000 ms. */
  readonly retryDelayMs?: number;
}

export interface PullOptions {
  readonly onProgress?: (progress: PullProgress) => void;
  readonly signal?: AbortSignal;
  /** A file on this machine that is taken instead of the entry's sources. */
  readonly from?: string;
}

export type PullResult =
  | {
      readonly outcome: "pulled";
      readonly model: InstalledModel;
      /** False where the file was there already. */
      readonly downloaded: boolean;
      /** Why earlier sources did not give the file. */
      readonly failures: readonly string[];
    }
  | Refusal;

/**
 * Makes sure that a model's file lies in its folder, checked: free disk first, then the sources in order, SHA-256 while
 * the bytes arrive, the GGUF's header, an atomic rename, the manifest. A pull that was cut off continues or begins
 * anew; two pulls of one model wait for each other. Throws the signal's reason when it is stopped.
 */
export async function pullModel(
  entry: ModelEntry,
  context: PullContext,
  options: PullOptions = {},
): Promise<PullResult> {
  const folder = join(context.folder, folderName(entry.name));
  await mkdir(folder, { recursive: true });
  const onProgress = options.onProgress ?? (() => {});
  const lock = await takeLockIn(folder, {
    clock: context.clock,
    signal: options.signal,
    onWait: () => onProgress({ phase: "waiting", source: "", receivedBytes: 0, totalBytes: entry.sizeBytes }),
  });
  const { signal } = lock;
  try {
    const there = await keepInstalled(entry, folder, signal);
    if (there !== undefined) return { outcome: "pulled", model: there, downloaded: false, failures: [] };
    const sources = options.from === undefined ? sourcesOf(entry) : [fileSource(options.from)];
    return await pullFromSources(entry, sources, {
      ...context,
      airGapped: context.airGapped ?? false,
      folder,
      signal,
      freeBytes: context.freeBytes ?? freeBytesOf,
      retryDelayMs: context.retryDelayMs ?? 1_000,
      sizeBytes: entry.sizeBytes,
      // Without a digest in the catalogue the first pull's counts: a source that changes its file is noticed.
      sha256: entry.sha256 ?? (await readManifest(folder))?.sha256,
      onProgress,
    });
  } finally {
    await lock.release();
  }
}

/** The model that is already there, if it is whole and the one that the entry names. */
async function keepInstalled(
  entry: ModelEntry,
  folder: string,
  signal: AbortSignal,
): Promise<InstalledModel | undefined> {
  const found = await inspectInstalled(folder, { full: false, signal });
  if (found.outcome !== "intact") return undefined;
  if (entry.sha256 === undefined || found.model.verified) {
    return entry.sha256 === undefined || entry.sha256 === found.model.sha256 ? found.model : undefined;
  }
  // It was pulled before the catalogue knew its digest.
  const manifest = await readManifest(folder);
  if (manifest === undefined || manifest.sha256 !== entry.sha256) return undefined;
  await writeManifest(folder, { ...manifest, verified: true });
  return { ...found.model, verified: true };
}

async function pullFromSources(
  entry: ModelEntry,
  sources: readonly Source[],
  context: ReceiveContext,
): Promise<PullResult> {
  const failures: string[] = [];
  const refusals: Refusal[] = [];
  for (const source of sources) {
    const result = await pullFromSource(entry, source, context);
    if (result.outcome === "installed") return { outcome: "pulled", model: result.model, downloaded: true, failures };
    // Another source needs as much room.
    if (result.code === "disk_full") return result;
    refusals.push(result);
    failures.push(`${source.text}: ${result.message}`);
  }
  // What an operator can change comes before what may be another time.
  const codes = ["redirect_refused", "model_unavailable"] as const;
  const code = codes.find((each) => refusals.some((refusal) => refusal.code === each)) ?? "model_invalid";
  return refuse(code, `${entry.name} could not be pulled.`, { reasons: failures });
}

type Installed = { readonly outcome: "installed"; readonly model: InstalledModel };

async function pullFromSource(
  entry: ModelEntry,
  source: Source,
  context: ReceiveContext,
): Promise<Installed | Refusal> {
  try {
    const landing = await receive(source, context);
    if ("outcome" in landing) return landing;
    try {
      const shape = await checkLanding(landing, source, context);
      if (shape.outcome === "read")
        return { outcome: "installed", model: await install(entry, landing, shape, source, context) };
      await landing.discard();
      return shape;
    } finally {
      await landing.close();
    }
  } catch (error) {
    const refused = refuseIfDiskFull(error);
    if (refused === undefined) throw error;
    return refused;
  }
}

/** The digest first: where the catalogue knows it, nothing of a wrong file is even parsed. */
async function checkLanding(landing: Landing, source: Source, context: ReceiveContext) {
  const { receivedBytes } = landing;
  context.onProgress({ phase: "checking", source: source.text, receivedBytes, totalBytes: receivedBytes });
  const sha256 = landing.sha256();
  if (context.sha256 !== undefined && sha256 !== context.sha256) {
    const message = `its SHA-256 is ${sha256}, ${context.sha256} is expected; the file was removed`;
    return refuse("model_invalid", message);
  }
  return readGguf(landing.path);
}

async function install(
  entry: ModelEntry,
  landing: Landing,
  shape: { readonly contextTokens: number; readonly chatTemplate: { readonly kind: Manifest["chatTemplate"] } },
  source: Source,
  context: ReceiveContext,
): Promise<InstalledModel> {
  await landing.sync();
  await landing.close();
  context.signal.throwIfAborted();
  const file = `${folderName(entry.name)}.gguf`;
  const path = join(context.folder, file);
  await rename(landing.path, path);
  const { size, mtimeMs } = await stat(path);
  const known = {
    name: entry.name,
    sha256: landing.sha256(),
    verified: entry.sha256 !== undefined,
    sizeBytes: size,
    contextTokens: Math.min(entry.contextTokens, shape.contextTokens),
    chatTemplate: shape.chatTemplate.kind,
    source: source.text,
    pulledAt: new Date(context.clock.nowMs()).toISOString(),
  };
  await writeManifest(context.folder, { version: 1, file, modifiedMs: mtimeMs, ...known });
  await removeLeftovers(context.folder);
  await syncFolder(context.folder);
  return { ...known, form: "gguf", path };
}

/** What earlier tries left: nothing else begins with these names. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("receiving") || name === "unpacking")
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Makes the renames themselves durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
