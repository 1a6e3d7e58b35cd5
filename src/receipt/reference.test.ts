import assert from "node:assert/strict";
import { createPrivateKey, createSecretKey } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { answerForm, answerMeaning, requestMeaning, type Said } from "../meaning/index.ts";
import {
  buildStatement,
  ByteDigest,
  digestKeyJwk,
  digestOfText,
  leafHashes,
  openSigningKeys,
  receiptFile,
  verifyReceipt,
} from "./index.ts";

const reference = await readFile(new URL("../../docs/reference/receipt.md", import.meta.url), "utf8");

/** The secret key of RFC 8032, section 7.1, test 1: everyone knows it, so that everyone can compute the example. */
const secretKey = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const digestKey = { id: "example", secret: createSecretKey(Buffer.alloc(32, 1)) };
const request = Buffer.from('{"model":"m","prompt":"Hello"}');
const response = Buffer.from(
  '{"object":"text_completion","choices":[{"text":" world","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}',
);

function digestOf(bytes: Buffer) {
  const digest = new ByteDigest(digestKey);
  digest.update(bytes);
  return { keyId: digestKey.id, value: digest.value(), bytes: digest.bytes };
}

function meaning(canonical: string) {
  return { form: "completions/1", keyId: digestKey.id, value: digestOfText(digestKey, canonical) };
}

function statement(number: number): string {
  const id = `01KA000000000000000000000${number}`;
  const where = { site: "frankfurt", jurisdiction: "DE-HE", operator: "Example Cloud GmbH" };
  return buildStatement({
    salt: "AAECAwQFBgcICQoLDA0ODw",
    receipt: `rcpt_${id}`,
    request: `req_${id}`,
    organisation: "org_01KA0000000000000000000000",
    tenant: "prj_01KA0000000000000000000000",
    endpoint: "completions",
    model: { name: "m", sha256: null, adapter: null },
    engine: { name: "fake", build: "fake 1" },
    hops: [
      { kind: "gateway", name: "gw_01KA0000000000000000000000", ...where },
      { kind: "host", name: "host_01KA0000000000000000000000", ...where },
    ],
    policy: {
      decision: "permitted",
      version: "sites-1",
      digest: "00".repeat(32),
      dataClass: "personal",
      narrowing: { processing: "EU" },
      rejected: [{ place: "US", reason: "outside_processing" }],
    },
    evidence: { jurisdiction: "operator-attested" },
    usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 },
    unrated: null,
    price: { version: "1", currency: "EUR", listAmount: "0.0000011" },
    ending: "stop",
    requestMeaning: meaning(shown("request-meaning")!),
    answerMeaning: meaning(shown("answer-meaning")!),
    startedAtMs: Date.parse("2026-11-24T00:00:00Z"),
    endedAtMs: Date.parse("2026-11-24T00:00:00.250Z"),
    requestDigest: digestOf(request),
    responseDigest: { ...digestOf(response), complete: true },
  });
}

/** What the reference shows, by the name of its code block. */
async function example(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-receipt-"));
  try {
    await mkdir(join(folder, "keys"));
    const key = { kty: "OKP", crv: "Ed25519", d: Buffer.from(secretKey, "hex").toString("base64url"), x: "" };
    key.x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const pem = createPrivateKey({ key, format: "jwk" }).export({ type: "pkcs8", format: "pem" });
    await writeFile(join(folder, "keys", "2026-11-24T00-00-00-000Z.pem"), pem);
    const signing = openSigningKeys(join(folder, "keys"), 0);
    const payloads = [1, 2, 3].map(statement);
    const [hashes, seal] = [leafHashes(payloads), signing.seal(payloads)];
    return {
      keys: signing.jwks(),
      "digest-key": digestKeyJwk(digestKey),
      request: request.toString(),
      response: response.toString(),
      statement: payloads[1]!,
      receipt: receiptFile({ payload: payloads[1]!, index: 1, hashes, seal }),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The text of the block that follows a line "`name`:". */
function shown(name: string): string | undefined {
  return new RegExp(`\`${name}\`[^\`]*:\n\n\`\`\`text\n([^\`]*)\n\`\`\``).exec(reference)?.[1];
}

test("the reference's meanings are those of its request and its answer", () => {
  const asked = JSON.parse(request.toString()) as Said;
  const answered = answerForm("completions")!.whole(JSON.parse(response.toString()) as Said);
  assert.equal(requestMeaning("completions", asked), shown("request-meaning"));
  const usage = { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 };
  assert.equal(answerMeaning(answered, usage), shown("answer-meaning"));
});

test("the reference's example is what this code makes", async () => {
  const made = Object.entries(await example()).map(([name, text]) => [name, text.trimEnd()]);
  assert.deepEqual(
    made.map(([name]) => [name, shown(name!)]),
    made,
  );
});

test("the reference's examples verify as a reader would try it, also that of the first version", () => {
  const file = (name: string): Buffer => Buffer.from(shown(name)!);
  for (const [name, version, response] of [
    ["receipt", 2, "response"],
    ["receipt-1", 1, "response-1"],
  ] as const) {
    const verification = verifyReceipt({
      receipt: Buffer.from(`${shown(name)!}\n`),
      keys: file("keys"),
      digestKey: file("digest-key"),
      request: file("request"),
      response: file(response),
      tenant: "prj_01KA0000000000000000000000",
    });
    assert.ok(verification.outcome === "valid", verification.reason);
    assert.equal(verification.stated.version, version);
  }
});
