import type { Readable } from "node:stream";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { refuse, type Refusal } from "../base/index.ts";

const mostMembers = 10_000;
/** Weights hardly compress; an archive that claims more than this is made to fill the disk. */
const mostRatio = 100;
const smallBytes = 1024 * 1024;

export interface OpenMember {
  readonly outcome: "opened";
  readonly sizeBytes: number;
  /** The member's bytes, exactly `sizeBytes` of them: a member that holds more or fewer ends in an error. */
  readonly stream: Readable;
  close(): void;
}

/**
 * Opens one member of a wheel, which is a zip archive (PEP 427). Only that member is ever read, and nothing is written
 * by a name from the archive; an archive that names a path outside itself, a link, or a member far larger than its
 * data is refused as a whole all the same. `mostBytes`: what the member may hold unpacked.
 */
export async function openWheelMember(path: string, member: string, mostBytes: number): Promise<OpenMember | Refusal> {
  let archive: ZipFile;
  try {
    archive = await openPromise(path, { autoClose: false, strictFileNames: true, validateEntrySizes: true });
  } catch (error) {
    return notAnArchive(error);
  }
  let opened = false;
  try {
    const found = await findMember(archive, member);
    if ("outcome" in found) return found;
    const problem = checkMember(found, mostBytes);
    if (problem !== undefined) return refuse("model_invalid", `The archive's member ${member} ${problem}.`);
    const stream = await archive.openReadStreamPromise(found);
    opened = true;
    return { outcome: "opened", sizeBytes: found.uncompressedSize, stream, close: () => archive.close() };
  } catch (error) {
    return notAnArchive(error);
  } finally {
    if (!opened) archive.close();
  }
}

/** yauzl throws on names with "..", absolute paths, backslashes, and on whatever is malformed. */
function notAnArchive(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  return refuse("model_invalid", `The archive is refused: ${message}.`);
}

async function findMember(archive: ZipFile, member: string): Promise<Entry | Refusal> {
  if (archive.entryCount > mostMembers) {
    return refuse(
      "model_invalid",
      `The archive claims ${archive.entryCount} members; at most ${mostMembers} are read.`,
    );
  }
  let found: Entry | undefined;
  for await (const entry of archive.eachEntry()) {
    if (isLink(entry)) return refuse("model_invalid", `The archive is refused: ${entry.fileName} is a symbolic link.`);
    if (entry.fileName !== member) continue;
    if (found !== undefined) return refuse("model_invalid", `The archive holds ${member} twice.`);
    found = entry;
  }
  return found ?? refuse("model_invalid", `The archive holds no ${member}.`);
}

/** The upper half of the external attributes is a Unix mode where the archive was made on Unix. */
function isLink(entry: Entry): boolean {
  const fileType = (entry.externalFileAttributes >>> 16) & 0o170000;
  return fileType === 0o120000;
}

function checkMember(entry: Entry, mostBytes: number): string | undefined {
  if (entry.isEncrypted() || !entry.canDecodeFileData()) return "is encrypted or compressed in an unknown way";
  if (entry.uncompressedSize > mostBytes) return `claims ${entry.uncompressedSize} bytes; at most ${mostBytes} fit`;
  const most = Math.max(smallBytes, entry.compressedSize * mostRatio);
  if (entry.uncompressedSize > most) {
    return `claims ${entry.uncompressedSize} bytes from ${entry.compressedSize} compressed ones`;
  }
  return undefined;
}
