import { canonicalJson, type ContentKeyId } from "../base/index.ts";
import { openWith, sealWith } from "./key-encryption.ts";

/** What is known of a record without opening it. */
export interface RecordHead {
  /** The request's id. */
  readonly request: string;
  readonly organisation: string;
  readonly project: string;
  readonly atMs: number;
  /** When it goes. */
  readonly untilMs: number;
  readonly dataClass: string;
  readonly model: string;
  readonly endpoint: string;
}

/** What is sealed. */
export interface RecordContent {
  readonly request: Buffer;
  readonly response: Buffer;
  /** False: the client left early, and got a part. */
  readonly complete: boolean;
  /** The pseudonym of the person that it is about; null: none was named. */
  readonly subject: string | null;
}

/** A record as it is written: on its way in a file, then in PostgreSQL. */
export interface SealedRecord extends RecordHead {
  readonly contentKey: ContentKeyId;
  readonly subjectTag: string | null;
  /** The record's own key, wrapped by the project's. */
  readonly wrappedKey: Buffer;
  readonly sealed: Buffer;
}

interface Inner {
  readonly v: 1;
  readonly requestBytes: number;
  readonly complete: boolean;
  readonly subject: string | null;
}

const lengthBytes = 4;

/** Seals under a fresh key, which the project's key wraps; both are bound to the request and the project. */
export function sealRecord(
  head: RecordHead,
  content: RecordContent,
  key: { readonly id: ContentKeyId; readonly secret: Buffer },
  subjectTag: string | null,
  randomBytes: (count: number) => Buffer,
): SealedRecord {
  const own = randomBytes(32);
  const { complete, subject } = content;
  const inner: Inner = { v: 1, requestBytes: content.request.length, complete, subject };
  const text = Buffer.from(JSON.stringify(inner));
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(text.length);
  const plain = Buffer.concat([length, text, content.request, content.response]);
  const sealed = sealWith(own, plain, contextOf(head), randomBytes);
  const wrappedKey = sealWith(key.secret, own, contextOf(head), randomBytes);
  own.fill(0);
  return { ...head, contentKey: key.id, subjectTag, wrappedKey, sealed };
}

/** Throws where a bit of it was changed, or where it is another project's or another request's. */
export function openRecord(record: SealedRecord, secret: Buffer): RecordContent {
  const own = openWith(secret, record.wrappedKey, contextOf(record));
  const plain = openWith(own, record.sealed, contextOf(record));
  const end = lengthBytes + plain.readUInt32BE(0);
  const { requestBytes, complete, subject } = JSON.parse(plain.toString("utf8", lengthBytes, end)) as Inner;
  const request = plain.subarray(end, end + requestBytes);
  return { request, response: plain.subarray(end + requestBytes), complete, subject };
}

/** The record's own key under another key of its project: what is sealed stays as it is. */
export function rewrapped(
  record: Pick<SealedRecord, "wrappedKey" | "request" | "project">,
  from: Buffer,
  to: Buffer,
  randomBytes: (count: number) => Buffer,
): Buffer {
  return sealWith(to, openWith(from, record.wrappedKey, contextOf(record)), contextOf(record), randomBytes);
}

function contextOf({ request, project }: Pick<RecordHead, "request" | "project">): string {
  return canonicalJson({ v: 1, project, request });
}

/** One line of a file on the way into PostgreSQL. */
export function recordLine(record: SealedRecord): string {
  const { wrappedKey, sealed } = record;
  return `${JSON.stringify({ ...record, wrappedKey: wrappedKey.toString("base64"), sealed: sealed.toString("base64") })}\n`;
}

/** Undefined: it was torn by a crash while it was written, and nobody was told that it is kept. */
export function parseRecordLine(line: string): SealedRecord | undefined {
  try {
    const record = JSON.parse(line) as Omit<SealedRecord, "wrappedKey" | "sealed"> & {
      wrappedKey: string;
      sealed: string;
    };
    const { wrappedKey, sealed } = record;
    return { ...record, wrappedKey: Buffer.from(wrappedKey, "base64"), sealed: Buffer.from(sealed, "base64") };
  } catch {
    return undefined;
  }
}
