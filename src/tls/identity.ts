import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, writeWhole } from "../installation/index.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** A machine's own key pair and the certificate that it shows. */
export interface Identity {
  /** Both, as PEM, in one text: `key` and `cert` of node:tls each take their own. */
  readonly pem: string;
  readonly fingerprint: string;
}

const fileName = "identity.pem";

/** Opens the identity in a folder, making it once. Throws where the file holds no key that fits its certificate. */
export async function openIdentity(folder: string, name: string): Promise<Identity> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, fileName);
  const pem = readIfThere(path) ?? (await makeOnce(path, name));
  chmodSync(path, 0o600);
  const certificate = new X509Certificate(pem);
  if (!certificate.checkPrivateKey(createPrivateKey(pem))) throw new Error(`${path}: its key is not its certificate's`);
  return { pem, fingerprint: fingerprintOf(certificate) };
}

async function makeOnce(path: string, name: string): Promise<string> {
  // What writes certificates is needed this once.
  const { newIdentity } = await import("./certificate.ts");
  const pem = await newIdentity(name);
  writeWhole(path, pem, 0o600);
  return pem;
}
