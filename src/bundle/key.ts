import { sign } from "node:crypto";
import { join } from "node:path";
import { openKeyFolder, publicJwk } from "../receipt/index.ts";

export interface BundleKey {
  /** Its thumbprint (RFC 7638). */
  readonly id: string;
  /** Its public half, as a JSON Web Key Set (RFC 7517): what whoever imports has to be given. */
  readonly jwks: string;
  /** Ed25519 over these bytes. */
  sign(bytes: Buffer): Buffer;
}

/** The key that signs the bundles of a data folder, made at its first use. It signs nothing else. */
export function openBundleKey(dataFolder: string, nowMs: number): BundleKey {
  const { privateKey } = openKeyFolder(join(dataFolder, "bundle-keys"), nowMs).keys[0]!;
  const jwk = publicJwk(privateKey);
  return {
    id: String(jwk["kid"]),
    jwks: JSON.stringify({ keys: [jwk] }),
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}
