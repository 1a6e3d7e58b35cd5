import { createHmac, type Hmac, type KeyObject } from "node:crypto";

/** A tenant's key that digests are salted with: erasing it makes them say nothing about anyone. */
export interface DigestKey {
  readonly id: string;
  /** 32 bytes. */
  readonly secret: KeyObject;
}

/** HMAC-SHA-256 over bytes as they come. `value` may be asked at any moment, and ends it. */
export class ByteDigest {
  readonly #hmac: Hmac;
  #bytes = 0;
  #value: string | undefined;

  constructor(key: DigestKey) {
    this.#hmac = createHmac("sha256", key.secret);
  }

  get bytes(): number {
    return this.#bytes;
  }

  update(bytes: Buffer): void {
    if (this.#value !== undefined || bytes.length === 0) return;
    this.#hmac.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Lower-case hex. */
  value(): string {
    this.#value ??= this.#hmac.digest("hex");
    return this.#value;
  }
}

/** The key as its tenant gets it, to check digests with (RFC 7518, section 6.4). */
export function digestKeyJwk(key: DigestKey): string {
  const { k } = key.secret.export({ format: "jwk" });
  return `${JSON.stringify({ kty: "oct", alg: "HS256", kid: key.id, k })}\n`;
}
