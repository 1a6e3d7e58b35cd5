import { createHash } from "node:crypto";

/** What a joining machine is handed: a secret of which the gateway keeps a digest, and the gateway's own fingerprint. */
export interface JoinToken {
  /** base64url. */
  readonly secret: string;
  /** Of the gateway's public key. */
  readonly gateway: string;
}

export const secretBytes = 32;

export function formatJoinToken({ secret, gateway }: JoinToken): string {
  return `bwj_${secret}.${gateway}`;
}

/** Undefined for what is no whole token. */
export function parseJoinToken(text: string): JoinToken | undefined {
  const parts = /^bwj_([\w-]{43})\.([\w-]{43})$/.exec(text.trim());
  return parts === null ? undefined : { secret: parts[1]!, gateway: parts[2]! };
}

/** Lower-case hex. A secret of 256 random bits needs no slow hash. */
export function secretDigest(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
