import { base64Url, decodeBase64 } from "../base/index.ts";
import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { cosignedText, readCosignature, writeCosignature } from "./cosignature.ts";
import { isKeyName, type NoteKey, type NoteSignature } from "./note.ts";

/**
 * Keys of signed notes (c2sp.org/signed-note, "Signature types" and "Verifier keys"). Two types are known here, both
 * Ed25519: `ed25519`, a log's, signs the note's text; `cosignature`, a witness's, signs it together with the time.
 */
export interface VerifierKey extends NoteKey {
  readonly type: KeyType;
  /** 32 bytes, as RFC 8032, section 5.1.2, has them. */
  readonly publicKey: Buffer;
}

export type KeyType = keyof typeof typeBytes;

const typeBytes = { ed25519: 0x01, cosignature: 0x04 } as const;

/** A private key and the name that it signs under. */
export interface SigningKey {
  readonly name: string;
  /** Ed25519. */
  readonly privateKey: KeyObject;
}

export type ParsedKey =
  | { readonly outcome: "read"; readonly key: VerifierKey }
  | { readonly outcome: "malformed"; readonly reason: string };

const publicKeyBytes = 32;
const signatureBytes = 64;

/** Reads "name+id+key": id in lower-case hex, the type's byte and the public key in base64, which may hold a "+". */
export function parseVerifierKey(text: string): ParsedKey {
  const [name, id, ...rest] = text.split("+");
  const encoded = decodeBase64(rest.join("+"));
  if (name === undefined || id === undefined || encoded === undefined || encoded.length < 2) {
    return { outcome: "malformed", reason: "it is not of the form name+id+key" };
  }
  if (!isKeyName(name)) return { outcome: "malformed", reason: "its name is empty or has spaces" };
  const type = typeOf(encoded[0]!);
  if (type === undefined || encoded.length !== 1 + publicKeyBytes) {
    return { outcome: "malformed", reason: "it is neither an Ed25519 key (type 1) nor a cosigner's (type 4)" };
  }
  const key = verifierKey(type, name, encoded.subarray(1));
  if (formatVerifierKey(key) !== text) return { outcome: "malformed", reason: "its id is not that of its key" };
  return { outcome: "read", key };
}

export function formatVerifierKey({ name, keyId, type, publicKey }: VerifierKey): string {
  const encoded = Buffer.concat([Buffer.of(typeBytes[type]), publicKey]);
  return `${name}+${keyId.toString(16).padStart(8, "0")}+${encoded.toString("base64")}`;
}

/** The public half of a signing key. */
export function verifierKeyOf(type: KeyType, { name, privateKey }: SigningKey): VerifierKey {
  if (!isKeyName(name)) throw new RangeError(`"${name}" cannot name a key: it is empty, or has spaces or a "+"`);
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  return verifierKey(type, name, Buffer.from(x!, "base64url"));
}

/** Signs a note's text, as a log does. */
export function signText(text: string, signer: SigningKey): NoteSignature {
  const { name, keyId } = verifierKeyOf("ed25519", signer);
  return { name, keyId, bytes: sign(null, Buffer.from(text), signer.privateKey) };
}

/** Signs a checkpoint's text at a time, as a witness does (c2sp.org/tlog-cosignature, "Ed25519 signed message"). */
export function cosignText(text: string, signer: SigningKey, timestampSeconds: number): NoteSignature {
  const { name, keyId } = verifierKeyOf("cosignature", signer);
  const signature = sign(null, Buffer.from(cosignedText(text, timestampSeconds)), signer.privateKey);
  return { name, keyId, bytes: writeCosignature({ timestampSeconds, signature }) };
}

function verifierKey(type: KeyType, name: string, publicKey: Buffer): VerifierKey {
  const key = createPublicKey({
    format: "jwk",
    key: { kty: "OKP", crv: "Ed25519", x: base64Url(publicKey) },
  });
  const verifies = type === "ed25519" ? verifiesText : verifiesCosigned;
  return {
    type,
    name,
    keyId: keyIdOf(type, name, publicKey),
    publicKey,
    verifies: (text, signature) => verifies(text, signature, key),
  };
}

function verifiesText(text: string, signature: Buffer, key: KeyObject): boolean {
  return signature.length === signatureBytes && verify(null, Buffer.from(text), key, signature);
}

function verifiesCosigned(text: string, signature: Buffer, key: KeyObject): boolean {
  const read = readCosignature(signature);
  if (read === undefined) return false;
  return verifiesText(cosignedText(text, read.timestampSeconds), read.signature, key);
}

/** SHA-256(name || LF || type || public key), its first four bytes as a number. */
function keyIdOf(type: KeyType, name: string, publicKey: Buffer): number {
  const of = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(typeBytes[type]), publicKey]);
  return hash("sha256", of, "buffer").readUInt32BE();
}

function typeOf(byte: number): KeyType | undefined {
  return byte === typeBytes.ed25519 ? "ed25519" : byte === typeBytes.cosignature ? "cosignature" : undefined;
}
