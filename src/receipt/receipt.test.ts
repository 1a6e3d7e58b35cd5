import assert from "node:assert/strict";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  buildStatement,
  ByteDigest,
  digestKeyJwk,
  openSigningKeys,
  receiptFile,
  receiptPlaces,
  type StatementFacts,
  verifyReceipt,
} from "./index.ts";
import { leafHash, pathsOf, rootFrom, rootOf } from "./merkle.ts";

const folder = mkdtempSync(join(tmpdir(), "bailiwick-receipt-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const nowMs = Date.parse("2026-11-24T00:00:00Z");
const signing = openSigningKeys(join(folder, "keys"), nowMs);
const keys = Buffer.from(signing.jwks());
const digestKey = { id: "dgk_1", secret: createSecretKey(randomBytes(32)) };
const [request, response] = [Buffer.from('{"model":"m"}'), Buffer.from('data: "hello"\n\n')];

function digestOf(bytes: Buffer) {
  const digest = new ByteDigest(digestKey);
  digest.update(bytes);
  return { keyId: digestKey.id, value: digest.value(), bytes: digest.bytes };
}

const facts: StatementFacts = {
  receipt: "rcpt_1",
  request: "req_1",
  organisation: "org_1",
  tenant: "prj_1",
  gateway: "gw_1",
  endpoint: "chat.completions",
  model: { name: "modèle", sha256: null },
  engine: { name: "fake", build: "fake 1" },
  host: "host_1",
  site: { name: "here", jurisdiction: "DE" },
  policy: { decision: "permitted", digest: "0".repeat(64), dataClass: "public" },
  usage: { inputTokens: 3, cachedInputTokens: 0, outputTokens: 2, reasoningTokens: 0 },
  unrated: null,
  price: { version: "1", currency: "EUR", listAmount: "0.0000011" },
  ending: "stop",
  startedAtMs: nowMs,
  endedAtMs: nowMs + 250,
  requestDigest: digestOf(request),
  responseDigest: { ...digestOf(response), complete: true },
};

function receipts(count: number): readonly Buffer[] {
  const payloads = Array.from({ length: count }, (_, index) => buildStatement({ ...facts, receipt: `rcpt_${index}` }));
  return receiptPlaces(payloads, signing.seal(payloads)).map((place) => Buffer.from(receiptFile(place)));
}

test("every receipt of a batch of any size verifies, and a path leads to one root only", () => {
  for (const size of [1, 2, 3, 5, 8, 13, 64]) {
    for (const receipt of receipts(size)) assert.equal(verifyReceipt({ receipt, keys }).outcome, "valid");
  }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, at, other) => {
      const leaves = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(String(index))));
      const index = at % size;
      const path = pathsOf(leaves)[index]!;
      assert.deepEqual(rootFrom(leaves[index]!, index, size, path), rootOf(leaves));
      if (other % size !== index)
        assert.notDeepEqual(rootFrom(leaves[index]!, other % size, size, path), rootOf(leaves));
    }),
  );
});

test("a receipt with any one bit flipped does not verify", () => {
  const receipt = receipts(3)[1]!;
  for (let bit = 0; bit < receipt.length * 8; bit++) {
    const flipped = Buffer.from(receipt);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(verifyReceipt({ receipt: flipped, keys }).outcome, "invalid", `bit ${bit}`);
  }
});

test("cut, lengthened or foreign files and keys do not verify", () => {
  const receipt = receipts(2)[0]!;
  const other = Buffer.from(openSigningKeys(join(folder, "others"), nowMs).jwks());
  const invalid = (bytes: Buffer): void => assert.equal(verifyReceipt({ receipt: bytes, keys }).outcome, "invalid");
  invalid(receipt.subarray(0, -1));
  invalid(Buffer.concat([receipt, Buffer.from("\n")]));
  invalid(Buffer.from(`${receipt.toString().slice(0, -2)},"note":1}\n`));
  invalid(Buffer.alloc(0));
  invalid(Buffer.alloc(2 << 20, "a"));
  assert.equal(verifyReceipt({ receipt, keys: other }).outcome, "invalid");
  assert.equal(verifyReceipt({ receipt, keys: Buffer.from("{}") }).outcome, "unchecked");
  assert.equal(verifyReceipt({ receipt, keys: Buffer.from("no json") }).outcome, "unchecked");
});

test("bytes, tenant and time are checked where they are given", () => {
  const receipt = receipts(1)[0]!;
  const jwk = Buffer.from(digestKeyJwk(digestKey));
  const all = { receipt, keys, request, response, digestKey: jwk, tenant: "prj_1", atMs: nowMs + 250 };
  const verified = verifyReceipt(all);
  assert.deepEqual(verified.checked, ["format", "signature", "statement", "tenant", "time", "request", "response"]);
  assert.equal(verified.outcome, "valid");
  assert.equal(verifyReceipt({ ...all, request: response }).outcome, "invalid");
  assert.equal(verifyReceipt({ ...all, response: response.subarray(1) }).outcome, "invalid");
  assert.equal(verifyReceipt({ ...all, tenant: "prj_2" }).outcome, "invalid");
  assert.equal(verifyReceipt({ ...all, atMs: nowMs + 249 }).outcome, "invalid");
  assert.equal(verifyReceipt({ receipt, keys, request }).outcome, "unchecked");
  const foreign = Buffer.from(digestKeyJwk({ id: "dgk_2", secret: createSecretKey(randomBytes(32)) }));
  assert.equal(verifyReceipt({ ...all, digestKey: foreign }).outcome, "unchecked");
});

test("keys are kept, private, and older ones stay in the set", () => {
  const path = join(folder, "rotated");
  const first = openSigningKeys(path, nowMs);
  assert.equal(openSigningKeys(path, nowMs).activeKeyId, first.activeKeyId);
  assert.equal(statSync(join(path, "2026-11-24T00-00-00-000Z.pem")).mode & 0o077, 0);
  assert.doesNotMatch(first.jwks(), /"d"/);
});
