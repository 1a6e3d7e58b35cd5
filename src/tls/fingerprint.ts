import { createHash, type X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** SHA-256 over the public key's SubjectPublicKeyInfo (RFC 7469, section 2.4, says why that), as base64url. */
export function fingerprintOf(certificate: X509Certificate): string {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64url");
}

/** The other side's key: the handshake has proven that it holds it. Undefined where it has shown no certificate. */
export function peerFingerprint(socket: TLSSocket): string | undefined {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : fingerprintOf(certificate);
}
