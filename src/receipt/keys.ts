import { hashBytes, rootOver } from "../base/index.ts";
import { createPublicKey, type JsonWebKey, type KeyObject, sign } from "node:crypto";
import { batchStatement } from "./envelope.ts";
import { openKeyFolder } from "./key-files.ts";
import { leafHashes } from "./merkle.ts";
import { thumbprint } from "./thumbprint.ts";

export interface SigningKeys {
  /** Thumbprint of the key that signs now (RFC 7638). */
  readonly activeKeyId: string;
  /** The public halves of all of them, the one that signs first. */
  readonly all: readonly PublicKey[];
  /** Signs the batch of these statements; its text is what the journal keeps with them. */
  seal(payloads: readonly string[]): string;
  /** The leaves' hashes of a batch by its seal; undefined where it was not sealed lately. */
  sealedLeaves(seal: string): Buffer | undefined;
  /** The leaves' hashes of a batch that was sealed; those of the latest are at hand. */
  leavesOf(batch: { readonly leaves: readonly string[]; readonly seal: string | undefined }): Buffer;
  /** Signs bytes with the key that signs now. */
  sign(bytes: Buffer): { readonly keyid: string; readonly sig: string };
  /** The public keys, retired ones too, as a JSON Web Key Set (RFC 7517). */
  jwks(): string;
  /** Makes a new key, which signs from now on. */
  rotate(nowMs: number): void;
  /** Destroys a key that does not sign any more. */
  destroy(keyId: string): void;
}

export interface PublicKey {
  readonly id: string;
  readonly x: string;
}

/** Hashes of so many leaves are kept from when they were signed until they are shipped and logged. */
const leavesKept = 16_384;

/**
 * Opens the folder of signing keys, making the first one where there is none. The newest signs; the others stay in the
 * set, so that older receipts go on verifying. Throws where a key file is damaged.
 */
export function openSigningKeys(folder: string, nowMs: number): SigningKeys {
  const files = openKeyFolder(folder, nowMs);
  const named = () =>
    files.keys.map(({ name, privateKey }) => ({ name, privateKey, jwk: publicJwk(privateKey), id: idOf(privateKey) }));
  let keys = named();
  const sealed = new SealedLeaves();
  return {
    get activeKeyId() {
      return keys[0]!.id;
    },
    get all() {
      return keys.map(({ id, jwk }) => ({ id, x: jwk.x! }));
    },
    seal(payloads) {
      const { id, privateKey } = keys[0]!;
      const hashes = leafHashes(payloads);
      const signature = sign(null, batchStatement(rootOver(hashes), payloads.length), privateKey);
      const seal = JSON.stringify({ keyid: id, sig: signature.toString("base64") });
      sealed.keep(seal, hashes);
      return seal;
    },
    sealedLeaves: (seal) => sealed.of(seal),
    leavesOf: ({ leaves, seal }) => (seal === undefined ? undefined : sealed.of(seal)) ?? leafHashes(leaves),
    sign(bytes) {
      const { id, privateKey } = keys[0]!;
      return { keyid: id, sig: sign(null, bytes, privateKey).toString("base64") };
    },
    jwks: () => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }),
    rotate(atMs) {
      files.make(atMs);
      keys = named();
    },
    destroy(keyId) {
      for (const { id, name } of keys) if (id === keyId) files.remove(name);
      keys = named();
    },
  };
}

/** The leaves of the latest batches by their seals: they are hashed once, for signing, shipping and the log. */
class SealedLeaves {
  readonly #bySeal = new Map<string, Buffer>();
  #count = 0;

  keep(seal: string, hashes: Buffer): void {
    this.#bySeal.set(seal, hashes);
    this.#count += hashes.length / hashBytes;
    for (const [oldest, gone] of this.#bySeal) {
      if (this.#count <= leavesKept) return;
      this.#bySeal.delete(oldest);
      this.#count -= gone.length / hashBytes;
    }
  }

  of(seal: string): Buffer | undefined {
    return this.#bySeal.get(seal);
  }
}

function publicJwk(privateKey: KeyObject): JsonWebKey {
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: "jwk" });
  return { kty: kty!, crv: crv!, x: x!, kid: idOf(privateKey), use: "sig", alg: "EdDSA" };
}

function idOf(privateKey: KeyObject): string {
  return thumbprint(createPublicKey(privateKey).export({ format: "jwk" }));
}
