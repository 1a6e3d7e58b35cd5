import { createHmac, createPublicKey, type JsonWebKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { type CanonicalValue, canonicalJson, decodeBase64, fromBase64Url, hashBytes, leafHash } from "../base/index.ts";
import { batchStatement, preAuthenticationEncoding } from "./envelope.ts";
import { rootFrom } from "./merkle.ts";
import { readStatement, type Stated, type StatedDigest } from "./read-statement.ts";
import { firstStatementType, statementType } from "./statement.ts";
import { thumbprint } from "./thumbprint.ts";

export interface VerifyInput {
  readonly receipt: Buffer;
  /** A JSON Web Key Set, as `/.well-known/bailiwick/keys` serves it. */
  readonly keys: Buffer;
  /** The request's exact bytes, and the answer's; or what was found of them as they went by. */
  readonly request?: Buffer | FoundDigest;
  readonly response?: Buffer | FoundDigest;
  /** The tenant's digest key as a JWK, which checking bytes needs. */
  readonly digestKey?: Buffer;
  /** The project that it must be for. */
  readonly tenant?: string;
  /** A moment (milliseconds since 1970) by which the request must have ended. */
  readonly atMs?: number;
  /** The jurisdiction of each site as the verifier knows it: the statement may not say otherwise of any place. */
  readonly sites?: ReadonlyMap<string, string>;
}

/** The digest of bytes that nobody has kept, under the key of that id. */
export interface FoundDigest {
  readonly keyId: string;
  /** HMAC-SHA-256, lower-case hex. */
  readonly value: string;
  readonly bytes: number;
}

/** `reason` is "valid", or why it is not, or why that could not be found out; `checked`: what was checked and held. */
export type Verification =
  | {
      readonly outcome: "valid";
      readonly reason: string;
      readonly checked: readonly string[];
      /** The key that signed it, its leaf, which is its entry in the log, and what it states. */
      readonly keyId: string;
      readonly leaf: Buffer;
      readonly stated: Stated;
    }
  | {
      readonly outcome: "invalid" | "unchecked";
      readonly reason: string;
      readonly checked: readonly string[];
      /** Its key is not among those that were given: newer ones may have it. */
      readonly isKeyUnknown: boolean;
    };

export class Verdict extends Error {
  readonly outcome: "invalid" | "unchecked";
  constructor(outcome: "invalid" | "unchecked", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}

class UnknownKey extends Verdict {}

const receiptBytesMax = 1 << 20;
const pathMax = 64;

/**
 * Verifies a receipt with nothing but its bytes and public keys: no server, no network. Canonical bytes are demanded
 * everywhere, so that each bit of the file is either signed or the only one possible.
 */
export function verifyReceipt(input: VerifyInput): Verification {
  const checked: string[] = [];
  try {
    const keys = readKeys(input.keys);
    const file = readFile(input.receipt);
    checked.push("format");
    const key = keys.get(file.signature.keyid);
    if (key === undefined) throw new UnknownKey("invalid", "it is signed by a key that is not in the set");
    const payload = decode(file.payload);
    const leaf = leafHash(preAuthenticationEncoding(file.payloadType, payload));
    const { index, size, path } = file.batch;
    const root = rootFrom(leaf, index, size, path.map(decodeHash));
    if (root === undefined) throw new Verdict("invalid", "its path does not lead to a root");
    if (!verify(null, batchStatement(root, size), key, decode(file.signature.sig))) {
      throw new Verdict("invalid", "its signature does not hold");
    }
    checked.push("signature");
    const stated = statedIn(payload, file.payloadType);
    checked.push("statement");
    checkTenant(stated, input, checked);
    checkTime(stated, input, checked);
    checkSites(stated, input, checked);
    checkBytes(stated, input, checked);
    return { outcome: "valid", reason: "valid", checked, keyId: file.signature.keyid, leaf, stated };
  } catch (error) {
    if (!(error instanceof Verdict)) throw error;
    const { outcome, message: reason } = error;
    return { outcome, reason, checked, isKeyUnknown: error instanceof UnknownKey };
  }
}

interface File {
  readonly payload: string;
  readonly payloadType: string;
  readonly batch: { readonly index: number; readonly size: number; readonly path: readonly string[] };
  readonly signature: { readonly keyid: string; readonly sig: string };
}

function readFile(bytes: Buffer): File {
  if (bytes.length > receiptBytesMax) throw new Verdict("invalid", `it is larger than ${receiptBytesMax} bytes`);
  const value = canonical(bytes.subarray(0, -1));
  if (value === undefined || bytes.at(-1) !== 0x0a) throw new Verdict("invalid", "it is not canonical JSON");
  const file = members(value, ["batch", "payload", "payloadType", "signature"]);
  const batch = members(file["batch"], ["index", "path", "size"]);
  const signature = members(file["signature"], ["keyid", "sig"]);
  const { index, size, path } = batch;
  const { keyid, sig } = signature;
  const { payload, payloadType } = file;
  if (payloadType !== statementType && payloadType !== firstStatementType) {
    throw new Verdict("invalid", "it is not a receipt of a known type");
  }
  if (!isCount(index) || !isCount(size) || index >= size || !Array.isArray(path) || path.length > pathMax) {
    throw new Verdict("invalid", "its place in its batch is not possible");
  }
  if (typeof keyid !== "string" || typeof sig !== "string" || typeof payload !== "string") {
    throw new Verdict("invalid", "its fields have other types than they should");
  }
  return { payload, payloadType, batch: { index, size, path: path.map(text) }, signature: { keyid, sig } };
}

type Members = Readonly<Record<string, CanonicalValue | undefined>>;

function statedIn(payload: Buffer, payloadType: string): Stated {
  const value = canonical(payload);
  if (value === undefined) throw new Verdict("invalid", "its statement is not canonical JSON");
  const read = readStatement(value);
  if (read.outcome !== "read") throw new Verdict(read.outcome === "newer" ? "unchecked" : "invalid", read.reason);
  // A statement is taken for what it was signed as.
  if ((read.stated.version === 1) !== (payloadType === firstStatementType)) {
    throw new Verdict("invalid", "its statement is of another type than it says");
  }
  return read.stated;
}

function checkTenant(stated: Stated, { tenant }: VerifyInput, checked: string[]): void {
  if (tenant === undefined) return;
  if (stated.tenant !== tenant) throw new Verdict("invalid", "it is for another tenant");
  checked.push("tenant");
}

function checkTime(stated: Stated, { atMs }: VerifyInput, checked: string[]): void {
  if (atMs === undefined) return;
  if (!(Date.parse(stated.endedAt) <= atMs)) throw new Verdict("invalid", "the request ended after the given time");
  checked.push("time");
}

function checkSites({ hops }: Stated, { sites }: VerifyInput, checked: string[]): void {
  if (sites === undefined) return;
  for (const { site, jurisdiction } of hops) {
    const known = sites.get(site);
    if (known === undefined) throw new Verdict("invalid", `its site "${site}" is not among the given ones`);
    if (known === jurisdiction) continue;
    const said = jurisdiction === null ? "has no jurisdiction" : `lies in ${jurisdiction}`;
    throw new Verdict("invalid", `it says that the site "${site}" ${said}, and it lies in ${known}`);
  }
  checked.push("sites");
}

function checkBytes(stated: Stated, input: VerifyInput, checked: string[]): void {
  for (const name of ["request", "response"] as const) {
    const bytes = input[name];
    if (bytes === undefined) continue;
    const digest = stated[`${name}Digest`];
    if (digest === null) {
      throw new Verdict("unchecked", `it holds no digest of the ${name}: a crash ended the request`);
    }
    const of = `the ${name}'s bytes`;
    const wrong = Buffer.isBuffer(bytes) ? checkDigest(of, bytes, digest, input.digestKey) : compare(of, bytes, digest);
    if (wrong !== undefined) throw new Verdict(wrong.outcome, wrong.reason);
    checked.push(name);
  }
}

interface Wrong {
  readonly outcome: "invalid" | "unchecked";
  readonly reason: string;
}

/** Undefined where bytes have the digest that is stated of them under the tenant's key; else what is wrong. */
export function checkDigest(
  of: string,
  bytes: Buffer,
  digest: StatedDigest,
  digestKey: Buffer | undefined,
): Wrong | undefined {
  if (digestKey === undefined) {
    const where = "GET /v1/receipts/digest-key gives it to the tenant; name its file with --digest-key";
    return { outcome: "unchecked", reason: `the digest of ${of} is salted with the tenant's digest key: ${where}` };
  }
  const key = readDigestKey(digestKey);
  if (key === undefined) return { outcome: "unchecked", reason: 'the digest key is not a JSON Web Key of type "oct"' };
  const value = createHmac("sha256", key.secret).update(bytes).digest("hex");
  return compare(of, { keyId: asText(key.kid), value, bytes: bytes.length }, digest);
}

function compare(of: string, found: FoundDigest, digest: StatedDigest): Wrong | undefined {
  if (found.keyId !== digest.keyId) {
    return { outcome: "unchecked", reason: `the digest of ${of} is salted with the key ${asText(digest.keyId)}` };
  }
  const [is, expected] = [Buffer.from(found.value, "hex"), Buffer.from(asText(digest.value), "hex")];
  const same = expected.length === is.length && timingSafeEqual(expected, is) && found.bytes === digest.bytes;
  return same ? undefined : { outcome: "invalid", reason: `the digest of ${of} is not the one that it states` };
}

export function readKeys(bytes: Buffer): ReadonlyMap<string, KeyObject> {
  const value = parsed(bytes) as { keys?: unknown } | undefined;
  if (!Array.isArray(value?.keys)) throw new Verdict("unchecked", "the keys are not a JSON Web Key Set");
  const keys = new Map<string, KeyObject>();
  for (const jwk of value.keys.slice(0, 1_000) as JsonWebKey[]) {
    if (jwk?.kty !== "OKP" || jwk.crv !== "Ed25519" || typeof jwk.x !== "string") continue;
    keys.set(thumbprint(jwk), publicKeyOf(jwk));
  }
  if (keys.size === 0) throw new Verdict("unchecked", "the key set holds no Ed25519 key");
  return keys;
}

function publicKeyOf({ x }: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: x! } });
  } catch {
    // The one thing wrong can be the key's bytes.
    throw new Verdict("unchecked", "the key set holds a key that is none");
  }
}

/** Undefined where it is no JSON Web Key of type "oct" (RFC 7518, section 6.4). */
export function readDigestKey(bytes: Buffer): { readonly kid: unknown; readonly secret: Buffer } | undefined {
  const value = parsed(bytes) as { kty?: unknown; k?: unknown; kid?: unknown } | undefined;
  if (value?.kty !== "oct" || typeof value.k !== "string") return undefined;
  return { kid: value.kid, secret: fromBase64Url(value.k) };
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // What is no JSON is nothing that the caller looks for, and it says so.
    return undefined;
  }
}

/** The value of canonical JSON; undefined where encoding it again would give other bytes. */
export function canonical(bytes: Buffer): CanonicalValue | undefined {
  const value = parsed(bytes) as CanonicalValue | undefined;
  if (value === undefined) return undefined;
  try {
    return Buffer.from(canonicalJson(value)).equals(bytes) ? value : undefined;
  } catch {
    // A number that is no safe integer has no canonical form here.
    return undefined;
  }
}

export function members(value: unknown, names: readonly string[]): Members {
  const found = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
  if (found.length !== names.length || !names.every((name) => found.includes(name))) {
    throw new Verdict("invalid", "it has other fields than a receipt");
  }
  return value as Members;
}

/** Base64 of one form only: what is decoded and encoded again must be the same text. */
export function decode(base64: string): Buffer {
  const bytes = decodeBase64(base64);
  if (bytes === undefined) throw new Verdict("invalid", "its base64 is not canonical");
  return bytes;
}

function decodeHash(base64: string): Buffer {
  const hash = decode(base64);
  if (hash.length !== hashBytes) throw new Verdict("invalid", "its path does not consist of hashes");
  return hash;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Verdict("invalid", "its path does not consist of hashes");
  return value;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
