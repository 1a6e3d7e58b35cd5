import { createCipheriv, createDecipheriv } from "node:crypto";
import { chmodSync, existsSync, readFileSync } from "node:fs";
import { writeWhole } from "../installation/index.ts";

/**
 * What wraps the keys of projects: a file here, a service or a device elsewhere. `context` binds what is wrapped to its
 * place, and has to be the same again. A PKCS #11 token (C_WrapKey and C_UnwrapKey with CKM_AES_GCM, the context as
 * additional data) fits behind the same two functions.
 */
export interface KeyEncryption {
  /** What a wrapped key says it was wrapped by. */
  readonly name: string;
  wrap(key: Buffer, context: string): Promise<Buffer>;
  /** Rejects where it is not what was wrapped here, under this context. */
  unwrap(wrapped: Buffer, context: string): Promise<Buffer>;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** A key in a file of its owner's, made where there is none; a tenant's own key is such a file too. */
export function fileKeyEncryption(
  path: string,
  randomBytes: (count: number) => Buffer,
  isMade: boolean,
): KeyEncryption {
  if (isMade && !existsSync(path)) writeWhole(path, `${randomBytes(keyBytes).toString("hex")}\n`, 0o600);
  const text = readFileSync(path, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(text)) throw new Error(`${path} does not hold a key of 64 hexadecimal digits`);
  chmodSync(path, 0o600);
  const key = Buffer.from(text, "hex");
  return {
    name: "file",
    wrap: (secret, context) => Promise.resolve(sealWith(key, secret, context, randomBytes)),
    unwrap: (wrapped, context) => Promise.resolve().then(() => openWith(key, wrapped, context)),
  };
}

/** AES-256-GCM (NIST SP 800-38D): nonce of 96 random bits, ciphertext, tag of 128 bits. */
export function sealWith(key: Buffer, plain: Buffer, context: string, randomBytes: (count: number) => Buffer): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Throws where a bit of it, or the context, is another than when it was sealed. */
export function openWith(key: Buffer, sealed: Buffer, context: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()]);
}
