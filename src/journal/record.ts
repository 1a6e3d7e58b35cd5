import { crc32 } from "node:zlib";
import type { GatewayId, InstallationId, RequestId } from "../base/index.ts";

/**
 * The bytes of a record (docs/reference/journal.md): one line of text.
 *
 *     CRC-32 (8 hex) SP length of the line (8 hex) SP kind (1 letter) SP fields LF
 *
 * The CRC covers everything behind it. No record holds a zero byte or an LF before its end, so that a line torn by a
 * power cut (sectors still zero) can be told from a line that was damaged later.
 */

/** Where a record begins: its identity within one gateway's journal. Segments count from 1. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

/** What a note is about. `dropped` is written by the journal itself: `{"dropped": n}` notes were over the limit. */
export type NoteKind = "refusal" | "policy" | "dropped";

export type JournalRecord =
  | { readonly kind: "intent"; readonly position: Position; readonly request: RequestId; readonly body: string }
  | {
      readonly kind: "settlement";
      readonly position: Position;
      readonly request: RequestId;
      /** Where its intent stands. */
      readonly intent: Position;
      /** Offset of its batch's first record, in the same segment. */
      readonly batchStart: number;
      readonly body: string;
      /** The receipt's canonical statement; undefined where the request has none. */
      readonly receipt: string | undefined;
      /** The receipt's place among its batch's leaves. */
      readonly leaf: number | undefined;
    }
  | { readonly kind: "note"; readonly position: Position; readonly note: NoteKind; readonly body: string };

/** A line as it stands in a segment: a record, or one of the journal's own marks. */
export type Line =
  | JournalRecord
  | {
      readonly kind: "header";
      readonly installation: string;
      readonly gateway: string;
      readonly segment: number;
    }
  /** Ends a batch: `seal` is what the seal function made of the batch's receipts. */
  | {
      readonly kind: "commit";
      readonly batchStart: number;
      readonly records: number;
      /** Everything before it was synced when this line was written. */
      readonly durable: Position;
      readonly seal: string | undefined;
    }
  /** Nothing follows in this segment. */
  | { readonly kind: "end" };

/** Largest sizes in bytes of UTF-8. A settlement's bounds its body and receipt together: its room is reserved unseen. */
export const intentBytesMax = 16_384;
export const settlementBytesMax = 8_192;
export const noteBytesMax = 4_096;
export const sealBytesMax = 1_024;

const frontBytes = 20;
/** Fixed columns of the longest line kind, with its LF, rounded up. */
const columnsBytesMax = 128;
export const lineBytesMax = intentBytesMax + columnsBytesMax;
export const settlementLineBytesMax = settlementBytesMax + columnsBytesMax;
export const commitLineBytesMax = sealBytesMax + columnsBytesMax;
export const endLineBytes = frontBytes + 1;
const formatName = "bailiwick-journal/1";

const space = 0x20;
const lineFeed = 0x0a;
const hexDigits = Buffer.from("0123456789abcdef");

/** Each `write...` puts one line into `bytes` at `at` and returns its length; `bytes` must have room for the longest. */
export function writeHeader(bytes: Buffer, installation: InstallationId, gateway: GatewayId, segment: number): number {
  const text = `${formatName} ${installation} ${gateway} ${segment.toString(16).padStart(8, "0")}`;
  return finish(bytes, 0, "H", frontBytes + bytes.write(text, frontBytes, "latin1"));
}

export function writeIntent(bytes: Buffer, at: number, request: RequestId, body: string): number {
  checkText(body, intentBytesMax);
  let end = at + frontBytes;
  end += bytes.write(request, end, "latin1");
  bytes[end++] = space;
  end += bytes.write(body, end, "utf8");
  return finish(bytes, at, "I", end);
}

export interface SettlementLine {
  readonly request: RequestId;
  readonly intent: Position;
  /** Offset of the batch's first record, so that one settlement's receipt can be rebuilt without a search. */
  readonly batchStart: number;
  readonly body: string;
  readonly receipt: string | undefined;
  readonly leaf: number;
}

export function writeSettlement(bytes: Buffer, at: number, line: SettlementLine): number {
  const { request, intent, receipt } = line;
  checkText(line.body, settlementBytesMax);
  if (receipt !== undefined) checkText(receipt, settlementBytesMax);
  let end = at + frontBytes;
  end += bytes.write(request, end, "latin1");
  end = writeHexColumn(bytes, end, intent.segment);
  end = writeHexColumn(bytes, end, intent.offset);
  end = writeHexColumn(bytes, end, line.batchStart);
  end = writeHexColumn(bytes, end, receipt === undefined ? noLeaf : line.leaf);
  const lengthAt = end;
  end += 10;
  const bodyBytes = bytes.write(line.body, end, "utf8");
  writeHexColumn(bytes, lengthAt, bodyBytes);
  bytes[lengthAt + 9] = space;
  end += bodyBytes;
  bytes[end++] = space;
  const receiptBytes = receipt === undefined ? 0 : bytes.write(receipt, end, "utf8");
  if (bodyBytes + receiptBytes > settlementBytesMax) throw tooLong(bodyBytes + receiptBytes, settlementBytesMax);
  return finish(bytes, at, "S", end + receiptBytes);
}

const noLeaf = 0xffff_ffff;

export function writeNote(bytes: Buffer, at: number, note: NoteKind, body: string): number {
  checkText(body, noteBytesMax);
  const end = at + frontBytes + bytes.write(`${note} `, at + frontBytes, "latin1");
  return finish(bytes, at, "N", end + bytes.write(body, end, "utf8"));
}

export function writeCommit(
  bytes: Buffer,
  at: number,
  commit: { batchStart: number; records: number; durable: Position; seal: string | undefined },
): number {
  if (commit.seal !== undefined) checkText(commit.seal, sealBytesMax);
  let end = at + frontBytes - 1;
  end = writeHexColumn(bytes, end, commit.batchStart);
  end = writeHexColumn(bytes, end, commit.records);
  end = writeHexColumn(bytes, end, commit.durable.segment);
  end = writeHexColumn(bytes, end, commit.durable.offset);
  bytes[end++] = space;
  return finish(bytes, at, "C", end + bytes.write(commit.seal ?? "-", end, "utf8"));
}

export function writeEnd(bytes: Buffer, at: number): number {
  return finish(bytes, at, "E", at + frontBytes);
}

/** A line's text must stay one line, and within its bound; what breaks that is a defect of the caller. */
function checkText(text: string, bytesMax: number): void {
  if (text.includes("\n") || text.includes("\0")) throw new RangeError("a journal body is JSON text on one line");
  // UTF-8 takes at most three bytes for a UTF-16 code unit: most texts need no count.
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax)
    throw tooLong(Buffer.byteLength(text), bytesMax);
}

function tooLong(bytes: number, bytesMax: number): RangeError {
  return new RangeError(`a journal body of ${bytes} bytes is over the bound of ${bytesMax}`);
}

function finish(bytes: Buffer, at: number, kind: string, bodyEnd: number): number {
  bytes[bodyEnd] = lineFeed;
  const length = bodyEnd + 1 - at;
  writeHex(bytes, at + 9, length);
  bytes[at + 8] = space;
  bytes[at + 17] = space;
  bytes[at + 18] = kind.charCodeAt(0);
  bytes[at + 19] = space;
  writeHex(bytes, at, crc32(bytes.subarray(at + 8, at + length)));
  return length;
}

function writeHexColumn(bytes: Buffer, at: number, value: number): number {
  bytes[at] = space;
  writeHex(bytes, at + 1, value);
  return at + 9;
}

function writeHex(bytes: Buffer, at: number, value: number): void {
  for (let digit = 0; digit < 8; digit++) bytes[at + digit] = hexDigits[(value >>> (28 - digit * 4)) & 15]!;
}

/**
 * Reads the line at `at` of `bytes` (an intent's body only where it is asked for), of which `[0, end)` is filled and whose byte 0 stands at `base` in its segment.
 * "more": the line goes on behind `end`. "invalid": there is no intact line here.
 */
export function readLine(
  bytes: Buffer,
  at: number,
  end: number,
  base: Position,
  intentBodies: "with" | "without" = "with",
): { readonly line: Line; readonly lengthBytes: number } | "more" | "invalid" {
  if (end - at < frontBytes) return "more";
  const lengthBytes = readHex(bytes, at + 9);
  if (!(lengthBytes > frontBytes && lengthBytes <= lineBytesMax)) return "invalid";
  if (at + lengthBytes > end) return "more";
  if (readHex(bytes, at) !== crc32(bytes.subarray(at + 8, at + lengthBytes))) return "invalid";
  const bodyEnd = at + lengthBytes - 1;
  const position = { segment: base.segment, offset: base.offset + at };
  const line = readFields(bytes, at + frontBytes, bodyEnd, bytes[at + 18]!, position, intentBodies);
  return line === undefined ? "invalid" : { line, lengthBytes };
}

/** The fields of a line whose CRC is right; undefined where they are not this format's. */
function readFields(
  bytes: Buffer,
  at: number,
  end: number,
  kind: number,
  position: Position,
  intentBodies: "with" | "without",
): Line | undefined {
  switch (String.fromCharCode(kind)) {
    case "I":
      return readIntent(bytes, at, end, position, intentBodies);
    case "S":
      return readSettlementLine(bytes, at, end, position);
    case "N":
      return readNote(bytes, at, end, position);
    case "C": {
      const seal = bytes.toString("utf8", at + 36, end);
      return {
        kind: "commit",
        batchStart: readHex(bytes, at),
        records: readHex(bytes, at + 9),
        durable: { segment: readHex(bytes, at + 18), offset: readHex(bytes, at + 27) },
        seal: seal === "-" ? undefined : seal,
      };
    }
    case "H": {
      const [format, installation = "", gateway = "", segment = ""] = bytes.toString("latin1", at, end).split(" ");
      if (format !== formatName) return undefined;
      return { kind: "header", installation, gateway, segment: Number.parseInt(segment, 16) };
    }
    case "E":
      return { kind: "end" };
    default:
      return undefined;
  }
}

function readIntent(
  bytes: Buffer,
  at: number,
  end: number,
  position: Position,
  intentBodies: "with" | "without",
): Line | undefined {
  const split = bytes.indexOf(space, at);
  if (split < 0 || split >= end) return undefined;
  const request = bytes.toString("latin1", at, split) as RequestId;
  const body = intentBodies === "with" ? bytes.toString("utf8", split + 1, end) : "";
  return { kind: "intent", position, request, body };
}

function readSettlementLine(bytes: Buffer, at: number, end: number, position: Position): Line | undefined {
  const split = bytes.indexOf(space, at);
  if (split < 0 || split + 47 > end) return undefined;
  const bodyAt = split + 46;
  const bodyEnd = bodyAt + readHex(bytes, split + 37);
  if (!(bodyEnd < end)) return undefined;
  const leaf = readHex(bytes, split + 28);
  return {
    kind: "settlement",
    position,
    request: bytes.toString("latin1", at, split) as RequestId,
    intent: { segment: readHex(bytes, split + 1), offset: readHex(bytes, split + 10) },
    batchStart: readHex(bytes, split + 19),
    body: bytes.toString("utf8", bodyAt, bodyEnd),
    receipt: leaf === noLeaf ? undefined : bytes.toString("utf8", bodyEnd + 1, end),
    leaf: leaf === noLeaf ? undefined : leaf,
  };
}

function readNote(bytes: Buffer, at: number, end: number, position: Position): Line | undefined {
  const split = bytes.indexOf(space, at);
  if (split < 0 || split >= end) return undefined;
  const note = bytes.toString("latin1", at, split);
  if (note !== "refusal" && note !== "policy" && note !== "dropped") return undefined;
  return { kind: "note", position, note, body: bytes.toString("utf8", split + 1, end) };
}

/** Eight lower-case hex digits as a number; NaN where one of them is none. */
function readHex(bytes: Buffer, at: number): number {
  let value = 0;
  for (let digit = 0; digit < 8; digit++) {
    const code = bytes[at + digit]!;
    if (code >= 0x30 && code <= 0x39) value = value * 16 + code - 0x30;
    else if (code >= 0x61 && code <= 0x66) value = value * 16 + code - 0x57;
    else return Number.NaN;
  }
  return value;
}
