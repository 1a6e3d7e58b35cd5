import type { TlsOptions } from "node:tls";
import type { Identity } from "./identity.ts";

/** How a listener speaks: it asks for a certificate, and leaves it to its owner to look whose it is. */
export function serverOptions({ pem }: Identity): TlsOptions {
  return {
    key: pem,
    cert: pem,
    requestCert: true,
    // No authority stands behind a key here: the connection's owner compares its fingerprint before it reads anything.
    rejectUnauthorized: false,
    minVersion: "TLSv1.3",
    handshakeTimeout: 10_000,
  };
}
