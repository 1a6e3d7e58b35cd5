import { verify } from "node:crypto";
import { type CanonicalValue, canonicalJson } from "../base/index.ts";
import { preAuthenticationEncoding } from "./envelope.ts";
import type { SigningKeys } from "./keys.ts";
import { canonical, decode, members, readKeys, Verdict } from "./verify.ts";

const fileBytesMax = 4 << 20;

/** A statement of its own, signed with the key that signs receipts: a DSSE envelope in canonical JSON, and a line feed. */
export function signedFile(type: string, statement: CanonicalValue, signing: Pick<SigningKeys, "sign">): string {
  const payload = Buffer.from(canonicalJson(statement));
  const signature = signing.sign(preAuthenticationEncoding(type, payload));
  return `${canonicalJson({ payloadType: type, payload: payload.toString("base64"), signatures: [signature] })}\n`;
}

export type SignedFileVerdict =
  | { readonly outcome: "valid"; readonly keyId: string; readonly statement: CanonicalValue }
  | { readonly outcome: "invalid" | "unchecked"; readonly reason: string };

/** Verifies such a file offline; canonical bytes are demanded everywhere, as of a receipt. `keys`: a JSON Web Key Set. */
export function verifySignedFile(file: Buffer, type: string, keys: Buffer): SignedFileVerdict {
  try {
    return verified(file, type, keys);
  } catch (error) {
    if (error instanceof Verdict) return { outcome: error.outcome, reason: error.message };
    throw error;
  }
}

function verified(file: Buffer, type: string, keySet: Buffer): SignedFileVerdict {
  const keys = readKeys(keySet);
  if (file.length > fileBytesMax) throw new Verdict("invalid", `it is larger than ${fileBytesMax} bytes`);
  const value = canonical(file.subarray(0, -1));
  if (value === undefined || file.at(-1) !== 0x0a) throw new Verdict("invalid", "it is not canonical JSON");
  const { payload, payloadType, signatures } = members(value, ["payload", "payloadType", "signatures"]);
  if (payloadType !== type) throw new Verdict("invalid", "it is a statement of another type");
  if (!Array.isArray(signatures) || signatures.length !== 1) throw new Verdict("invalid", "it has not one signature");
  const { keyid, sig } = members(signatures[0], ["keyid", "sig"]);
  if (typeof keyid !== "string" || typeof sig !== "string" || typeof payload !== "string") {
    throw new Verdict("invalid", "its fields have other types than they should");
  }
  const key = keys.get(keyid);
  if (key === undefined) throw new Verdict("invalid", "it is signed by a key that is not in the set");
  const bytes = decode(payload);
  if (!verify(null, preAuthenticationEncoding(type, bytes), key, decode(sig))) {
    throw new Verdict("invalid", "its signature does not hold");
  }
  const statement = canonical(bytes);
  if (statement === undefined) throw new Verdict("invalid", "its statement is not canonical JSON");
  return { outcome: "valid", keyId: keyid, statement };
}
