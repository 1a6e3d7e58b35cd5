import { request } from "undici";
import type { KeyEncryption } from "./key-encryption.ts";

/** Vault's transit engine, or OpenBao's. */
export interface VaultOptions {
  /** Where it is, without a slash at its end. */
  readonly url: string;
  /** The name of a transit key of type aes256-gcm96. */
  readonly key: string;
  readonly token: string;
}

const timeoutMs = 5_000;

/**
 * Wraps by Vault's transit engine (POST /v1/transit/encrypt/:name and decrypt/:name). The context goes along as
 * associated data, so that what was wrapped for one project opens for no other.
 */
export function vaultKeyEncryption({ url, key, token }: VaultOptions): KeyEncryption {
  const ask = async (operation: "encrypt" | "decrypt", body: Readonly<Record<string, string>>) => {
    const answer = await request(`${url}/v1/transit/${operation}/${encodeURIComponent(key)}`, {
      method: "POST",
      headers: { "x-vault-token": token, "content-type": "application/json" },
      body: JSON.stringify(body),
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    });
    const text = await answer.body.text();
    // What Vault says of a refusal may repeat what it was sent.
    if (answer.statusCode !== 200) throw new Error(`Vault answered ${answer.statusCode} to ${operation}`);
    return (JSON.parse(text) as { data: Record<string, string> }).data;
  };
  return {
    name: "vault",
    async wrap(secret, context) {
      const data = await ask("encrypt", { plaintext: secret.toString("base64"), associated_data: base64(context) });
      return Buffer.from(data["ciphertext"] ?? "");
    },
    async unwrap(wrapped, context) {
      const data = await ask("decrypt", { ciphertext: wrapped.toString(), associated_data: base64(context) });
      return Buffer.from(data["plaintext"] ?? "", "base64");
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
