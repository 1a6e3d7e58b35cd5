import { join } from "node:path";
import { openSigningKeys, type SigningKeys } from "../receipt/index.ts";

export type BundleKey = Pick<SigningKeys, "activeKeyId" | "jwks" | "sign">;

/** The key that signs the bundles of a data folder, made at its first use. It signs nothing else. */
export function openBundleKey(dataFolder: string, nowMs: number): BundleKey {
  return openSigningKeys(join(dataFolder, "bundle-keys"), nowMs);
}
