import { ed25519 } from "@noble/curves/ed25519.js";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { base64Url, fromBase64Url } from "../base/index.ts";

/**
 * What verification uses of Node's `crypto`, for where there is no Node: the bundler puts this module in its place. Each
 * takes the arguments, and gives the value, that Node's would for them; anything else is refused.
 */

type Encoding = "hex" | "base64url" | "binary" | "buffer";

export function hash(algorithm: string, data: Uint8Array | string, encoding: Encoding = "hex"): Buffer | string {
  return encoded(sha256(bytesOf(only("sha256", algorithm, data))), encoding);
}

export function createHash(algorithm: string): Running {
  only("sha256", algorithm, undefined);
  return new Running(sha256.create());
}

/** A secret is its bytes. */
export function createHmac(algorithm: string, secret: Uint8Array): Running {
  return new Running(hmac.create(sha256, only("sha256", algorithm, secret)));
}

class Running {
  readonly #of: { update(bytes: Uint8Array): unknown; digest(): Uint8Array };

  constructor(of: { update(bytes: Uint8Array): unknown; digest(): Uint8Array }) {
    this.#of = of;
  }

  update(data: Uint8Array | string): this {
    this.#of.update(bytesOf(data));
    return this;
  }

  digest(encoding: Encoding = "buffer"): Buffer | string {
    return encoded(this.#of.digest(), encoding);
  }
}

interface PublicKey {
  readonly bytes: Uint8Array;
}

/** Of a JSON Web Key (RFC 8037). Throws where it is no Ed25519 key, as Node's does. */
export function createPublicKey({ key }: { readonly key: { readonly crv?: string; readonly x?: string } }): PublicKey {
  const bytes = fromBase64Url(key.crv === "Ed25519" ? (key.x ?? "") : "");
  if (bytes.length !== 32) throw new TypeError("it is no Ed25519 key");
  return { bytes };
}

/** As RFC 8032, section 5.1.7, has it, which takes no other encoding of a point or a number than the only one. */
export function verify(_: null, data: Uint8Array, { bytes }: PublicKey, signature: Uint8Array): boolean {
  return signature.length === 64 && ed25519.verify(signature, data, bytes, { zip215: false });
}

/** What is compared here is public by then: who verifies has both. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, at) => byte === b[at]);
}

/** Modules name these that also sign; a verifier never comes to them. */
export { absent as createPrivateKey, absent as generateKeyPairSync, absent as randomFillSync, absent as sign };

function absent(): never {
  throw new TypeError("nothing is signed here, and no chance is drawn");
}

function only<T>(known: string, algorithm: string, value: T): T {
  if (algorithm !== known) throw new TypeError(`there is no ${algorithm} here`);
  return value;
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}

function encoded(bytes: Uint8Array, encoding: Encoding): Buffer | string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (encoding === "buffer") return buffer;
  return encoding === "base64url" ? base64Url(buffer) : buffer.toString(encoding);
}
