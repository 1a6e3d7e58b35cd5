import { createHmac, type Hmac } from "node:crypto";
import { type FoundDigest, readDigestKey } from "../receipt/index.ts";
import { Wrong } from "./verdict.ts";

/** Digests bytes as they go by; nothing of them is kept. */
export class Measure {
  readonly #keyId: string;
  readonly #hmac: Hmac;
  #bytes = 0;

  constructor({ keyId, secret }: DigestSecret) {
    this.#keyId = keyId;
    this.#hmac = createHmac("sha256", secret);
  }

  update(bytes: Uint8Array): void {
    this.#hmac.update(bytes);
    this.#bytes += bytes.length;
  }

  /** Ends it. */
  found(): FoundDigest {
    return { keyId: this.#keyId, value: this.#hmac.digest("hex"), bytes: this.#bytes };
  }
}

/** The project's digest key. */
export interface DigestSecret {
  readonly keyId: string;
  readonly secret: Buffer;
}

export function digestSecretIn(jwk: Buffer): DigestSecret {
  const { kid, secret } = readDigestKey(jwk) ?? {};
  if (typeof kid !== "string" || secret === undefined) throw new Wrong("unchecked", "the cloud's digest key is none");
  return { keyId: kid, secret };
}

export function measured(secret: DigestSecret, bytes: Uint8Array): FoundDigest {
  const measure = new Measure(secret);
  measure.update(bytes);
  return measure.found();
}
