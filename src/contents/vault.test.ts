import assert from "node:assert/strict";
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { vaultKeyEncryption } from "./index.ts";

/** Transit's two calls, with a key of its own: what it is sent and answers is as Vault documents it. */
async function transit(context: TestContext) {
  const key = randomBytes(32);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (part: Buffer) => (text += part.toString()));
    request.on("end", () => {
      asked.push(`${request.method} ${request.url}`);
      const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
      if (request.headers["x-vault-token"] !== "s.token") return answer(403, { errors: ["permission denied"] });
      const body = JSON.parse(text) as { plaintext?: string; ciphertext?: string; associated_data: string };
      try {
        return answer(200, { data: body.plaintext === undefined ? opened(body) : sealed(body) });
      } catch {
        return answer(400, { errors: ["cipher: message authentication failed"] });
      }
    });
  });
  const sealed = ({ plaintext, associated_data }: { plaintext?: string; associated_data: string }) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(associated_data, "base64"));
    const parts = [nonce, cipher.update(plaintext!, "base64"), cipher.final(), cipher.getAuthTag()];
    return { ciphertext: `vault:v1:${Buffer.concat(parts).toString("base64")}` };
  };
  const opened = ({ ciphertext, associated_data }: { ciphertext?: string; associated_data: string }) => {
    const bytes = Buffer.from(ciphertext!.slice("vault:v1:".length), "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(associated_data, "base64")).setAuthTag(bytes.subarray(-16));
    return {
      plaintext: Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]).toString("base64"),
    };
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test("a key is wrapped and unwrapped by Vault's transit, bound to its context", async (context) => {
  const { url, asked } = await transit(context);
  const vault = vaultKeyEncryption({ url, key: "bailiwick", token: "s.token" });
  const secret = randomBytes(32);
  const wrapped = await vault.wrap(secret, "key 1 of A");
  assert.match(wrapped.toString(), /^vault:v1:/);
  assert.deepEqual(await vault.unwrap(wrapped, "key 1 of A"), secret);
  await assert.rejects(vault.unwrap(wrapped, "key 1 of B"), /Vault answered 400 to decrypt/);
  assert.deepEqual(asked.slice(0, 2), ["POST /v1/transit/encrypt/bailiwick", "POST /v1/transit/decrypt/bailiwick"]);
  const stranger = vaultKeyEncryption({ url, key: "bailiwick", token: "s.other" });
  await assert.rejects(stranger.wrap(secret, "x"), /Vault answered 403 to encrypt/);
});
