import { createHmac, hash, type Hmac, type KeyObject } from "node:crypto";

/** A tenant's key that digests are salted with: erasing it makes them say nothing about anyone. */
export interface DigestKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: KeyObject;
}

/** Parts of a stream are small: so many bytes of them are hashed at one go. */
const gatheredBytesMax = 4 * 1024;

/**
 * HMAC-SHA-256 over bytes as they come. `value` may be asked at any moment, and ends it. A message of one part, which
 * nearly every request and whole answer is, takes a shorter way to the same value. The bytes are kept until then.
 */
export class ByteDigest {
  readonly #key: DigestKey;
  #only: Buffer | undefined;
  #hmac: Hmac | undefined;
  /** Bytes that wait to be hashed together. */
  #gathered: Buffer | undefined;
  #gatheredBytes = 0;
  #bytes = 0;
  #value: string | undefined;

  constructor(key: DigestKey) {
    this.#key = key;
  }

  get bytes(): number {
    return this.#bytes;
  }

  update(bytes: Buffer): void {
    if (this.#value !== undefined || bytes.length === 0) return;
    this.#bytes += bytes.length;
    if (this.#hmac !== undefined) this.#gather(bytes);
    else if (this.#only === undefined) this.#only = bytes;
    else {
      this.#hmac = createHmac("sha256", this.#key.secret).update(this.#only).update(bytes);
      this.#only = undefined;
    }
  }

  #gather(bytes: Buffer): void {
    if (this.#gatheredBytes + bytes.length > gatheredBytesMax) this.#hashGathered();
    if (bytes.length > gatheredBytesMax) {
      this.#hmac!.update(bytes);
      return;
    }
    this.#gathered ??= Buffer.allocUnsafe(gatheredBytesMax);
    bytes.copy(this.#gathered, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  #hashGathered(): void {
    if (this.#gatheredBytes === 0) return;
    this.#hmac!.update(this.#gathered!.subarray(0, this.#gatheredBytes));
    this.#gatheredBytes = 0;
  }

  /** Lower-case hex. */
  value(): string {
    this.#hashGathered();
    this.#value ??= this.#hmac?.digest("hex") ?? hmacOnce(this.#key, this.#only);
    this.#only = undefined;
    return this.#value;
  }
}

const blockBytes = 64;
const hashBytes = 32;
/** Longer messages gain nothing here. */
const onceBytesMax = 16 * 1024;

/** A key's two blocks (RFC 2104, section 2): K xor ipad, K xor opad. */
const blocks = new WeakMap<KeyObject, { readonly inner: Buffer; readonly outer: Buffer }>();
const innerMessage = Buffer.alloc(blockBytes + onceBytesMax);
const outerMessage = Buffer.alloc(blockBytes + hashBytes);

/**
 * HMAC (RFC 2104) by two one-shot hashes: H(K xor opad, H(K xor ipad, text)). An `Hmac` object costs twice as much for
 * a message as short as a prompt.
 */
function hmacOnce({ secret }: DigestKey, message: Buffer | undefined): string {
  const length = message?.length ?? 0;
  if (length > onceBytesMax) return createHmac("sha256", secret).update(message!).digest("hex");
  const { inner, outer } = blocksOf(secret);
  inner.copy(innerMessage);
  message?.copy(innerMessage, blockBytes);
  outer.copy(outerMessage);
  outerMessage.write(hash("sha256", innerMessage.subarray(0, blockBytes + length), "binary"), blockBytes, "latin1");
  return hash("sha256", outerMessage, "hex");
}

function blocksOf(secret: KeyObject) {
  const known = blocks.get(secret);
  if (known !== undefined) return known;
  const key = Buffer.alloc(blockBytes);
  const bytes = secret.export();
  (bytes.length > blockBytes ? hash("sha256", bytes, "buffer") : bytes).copy(key);
  const made = { inner: key.map((byte) => byte ^ 0x36) as Buffer, outer: key.map((byte) => byte ^ 0x5c) as Buffer };
  blocks.set(secret, made);
  return made;
}

/** HMAC-SHA-256 over a text in UTF-8, lower-case hex. */
export function digestOfText(key: DigestKey, text: string): string {
  return hmacOnce(key, Buffer.from(text));
}

/** The key as its tenant gets it, to check digests with (RFC 7518, section 6.4). */
export function digestKeyJwk(key: DigestKey): string {
  const { k } = key.secret.export({ format: "jwk" });
  return `${JSON.stringify({ kty: "oct", alg: "HS256", kid: key.id, k })}\n`;
}
