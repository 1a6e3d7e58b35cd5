import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
} from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { canonicalJson } from "../base/index.ts";
import { batchStatement } from "./envelope.ts";
import { leafHashes, rootOf } from "./merkle.ts";

export interface SigningKeys {
  /** Thumbprint of the key that signs now (RFC 7638). */
  readonly activeKeyId: string;
  /** Signs the batch of these statements; its text is what the journal keeps with them. */
  seal(payloads: readonly string[]): string;
  /** The public keys, retired ones too, as a JSON Web Key Set (RFC 7517). */
  jwks(): string;
}

interface NamedKey {
  readonly id: string;
  readonly createdAt: string;
  readonly privateKey: KeyObject;
}

/**
 * Opens the folder of signing keys, making the first one where there is none. The newest signs; the others stay in the
 * set, so that older receipts go on verifying. Throws where a key file is damaged.
 */
export function openSigningKeys(folder: string, nowMs: number): SigningKeys {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(folder).filter((name) => name.endsWith(".pem"));
  if (names.length === 0) names.push(createKey(folder, nowMs));
  const keys = names.map((name) => readKey(folder, name)).toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const [active] = keys;
  return {
    activeKeyId: active!.id,
    seal(payloads) {
      const root = rootOf(leafHashes(payloads));
      const signature = sign(null, batchStatement(root, payloads.length), active!.privateKey);
      return JSON.stringify({ keyid: active!.id, sig: signature.toString("base64") });
    },
    jwks: () => JSON.stringify({ keys: keys.map(({ privateKey }) => publicJwk(privateKey)) }),
  };
}

/** "2026-11-24T00-00-00-000Z.pem": its name is when it was made. */
function createKey(folder: string, nowMs: number): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const name = `${new Date(nowMs).toISOString().replaceAll(/[:.]/g, "-")}.pem`;
  const beside = join(folder, `${name}.new`);
  const file = openSync(beside, "w", 0o600);
  writeSync(file, String(privateKey.export({ type: "pkcs8", format: "pem" })));
  fsyncSync(file);
  closeSync(file);
  renameSync(beside, join(folder, name));
  return name;
}

function readKey(folder: string, name: string): NamedKey {
  const path = join(folder, name);
  chmodSync(path, 0o600);
  const privateKey = createPrivateKey(readFileSync(path));
  if (privateKey.asymmetricKeyType !== "ed25519") throw new Error(`${path} is no Ed25519 key`);
  return { id: thumbprint(createPublicKey(privateKey).export({ format: "jwk" })), createdAt: name, privateKey };
}

function publicJwk(privateKey: KeyObject): JsonWebKey {
  const { kty, crv, x } = createPublicKey(privateKey).export({ format: "jwk" });
  return { kty: kty!, crv: crv!, x: x!, kid: thumbprint({ kty, crv, x } as JsonWebKey), use: "sig", alg: "EdDSA" };
}

/** RFC 7638, for a key of RFC 8037. */
export function thumbprint({ crv, kty, x }: JsonWebKey): string {
  return createHash("sha256")
    .update(canonicalJson({ crv: crv!, kty: kty!, x: x! }))
    .digest("base64url");
}
