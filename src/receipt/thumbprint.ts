import { createHash, type JsonWebKey } from "node:crypto";
import { canonicalJson } from "../base/index.ts";

/** RFC 7638, for a key of RFC 8037. */
export function thumbprint({ crv, kty, x }: JsonWebKey): string {
  return createHash("sha256")
    .update(canonicalJson({ crv: crv!, kty: kty!, x: x! }))
    .digest("base64url");
}
