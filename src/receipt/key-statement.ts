import { type CanonicalValue, canonicalJson, leafHash } from "../base/index.ts";
import { preAuthenticationEncoding } from "./envelope.ts";

const keyStatementType = "application/vnd.bailiwick.keys+json;version=1";

/** `retired`: it signs no more, and what it signed holds. `revoked`: what it signed holds up to its revocation only. */
export type KeyStatus = "active" | "retired" | "revoked";

/** A key that signs, or has signed, batches of receipts. */
export interface StatedReceiptKey {
  /** Its thumbprint (RFC 7638). */
  readonly id: string;
  /** As a JSON Web Key has it: base64url, 32 bytes. */
  readonly x: string;
  readonly status: KeyStatus;
  /** Since when it has this status: RFC 3339. */
  readonly since: string;
  /**
   * The log's entry from which on it counts as revoked: that of the statement which first said so. `index` is null in that
   * statement itself, which cannot know its own; null as a whole where the key is not revoked.
   */
  readonly revoked: { readonly log: string; readonly index: number | null } | null;
}

/** A key that signs, or has signed, checkpoints of the log. */
export interface StatedLogKey {
  /** As verifiers take it: name+id+key (c2sp.org/signed-note, "Verifier keys"). */
  readonly key: string;
  readonly status: KeyStatus;
  /** Also a time to come: until then a key that is on its way out signs beside the new one. */
  readonly since: string;
}

/** What an operator says of all its keys, once at the first start and at every change; its hash is an entry of the log. */
export interface KeyStatement {
  readonly v: 1;
  /** Counted from 1. */
  readonly number: number;
  /** SHA-256 of the statement before it, lower-case hex; null in the first. */
  readonly previous: string | null;
  readonly statedAt: string;
  readonly receiptKeys: readonly StatedReceiptKey[];
  readonly logKeys: readonly StatedLogKey[];
}

/** Canonical JSON (RFC 8785), without a line feed. */
export function formatKeyStatement(statement: KeyStatement): Buffer {
  return Buffer.from(canonicalJson(statement as unknown as CanonicalValue));
}

/** Undefined where the bytes are not those of a key statement of this version. */
export function parseKeyStatement(bytes: Buffer): KeyStatement | undefined {
  try {
    const statement = JSON.parse(bytes.toString("utf8")) as KeyStatement;
    return isStatement(statement) && formatKeyStatement(statement).equals(bytes) ? statement : undefined;
  } catch {
    // Not JSON, or numbers that canonical JSON has no form for: not what is written here.
    return undefined;
  }
}

/** The log's entry for a key statement: of another type than a receipt's, so that none can be taken for the other. */
export function keyStatementEntry(bytes: Buffer): Buffer {
  return leafHash(preAuthenticationEncoding(keyStatementType, bytes));
}

function isStatement(value: unknown): value is KeyStatement {
  const { v, number, statedAt, receiptKeys, logKeys } = (value ?? {}) as Partial<KeyStatement>;
  return (
    v === 1 &&
    Number.isSafeInteger(number) &&
    typeof statedAt === "string" &&
    Array.isArray(receiptKeys) &&
    receiptKeys.every(isReceiptKey) &&
    Array.isArray(logKeys) &&
    logKeys.every((each) => typeof (each as Partial<StatedLogKey> | null)?.key === "string" && hasStatus(each))
  );
}

function isReceiptKey(value: unknown): boolean {
  const { id, x, revoked } = (value ?? {}) as Partial<StatedReceiptKey>;
  return typeof id === "string" && typeof x === "string" && hasStatus(value) && typeof revoked === "object";
}

function hasStatus(value: unknown): boolean {
  const { status, since } = value as Partial<StatedLogKey>;
  return ["active", "retired", "revoked"].includes(String(status)) && typeof since === "string";
}
