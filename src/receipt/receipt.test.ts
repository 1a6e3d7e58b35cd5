import { hashBytes, leafHash, rootOver } from "../base/index.ts";
import assert from "node:assert/strict";
import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import {
  buildStatement,
  ByteDigest,
  digestKeyJwk,
  leafHashes,
  openSigningKeys,
  receiptFile,
  verifyReceipt,
} from "./index.ts";
import { exampleFacts } from "./testing.ts";
import { preAuthenticationEncoding } from "./envelope.ts";
import { pathOf, rootFrom } from "./merkle.ts";
import { typeOfStatement } from "./statement.ts";

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

const facts = exampleFacts({
  requestDigest: digestOf(request),
  responseDigest: { ...digestOf(response), complete: true },
});

function receipts(count: number): readonly Buffer[] {
  const payloads = Array.from({ length: count }, (_, index) => buildStatement({ ...facts, receipt: `rcpt_${index}` }));
  const [hashes, seal] = [leafHashes(payloads), signing.seal(payloads)];
  return payloads.map((payload, index) => Buffer.from(receiptFile({ payload, index, hashes, seal })));
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();

/** MTH of RFC 9162, section 2.1.1, word for word. */
function merkleTreeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return sha256(Buffer.of(0), leaves[0]!);
  const k = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return sha256(Buffer.of(1), merkleTreeHash(leaves.slice(0, k)), merkleTreeHash(leaves.slice(k)));
}

test("every receipt of a batch of any size verifies, and a path leads to one root only", () => {
  for (const size of [1, 2, 3, 5, 8, 13, 64]) {
    for (const receipt of receipts(size)) assert.equal(verifyReceipt({ receipt, keys }).outcome, "valid");
  }
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 70 }), fc.nat(), fc.nat(), (size, at, other) => {
      const leaves = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(String(index))));
      const [hashes, index] = [Buffer.concat(leaves), at % size];
      const path = pathOf(hashes, index);
      assert.deepEqual(rootFrom(leaves[index]!, index, size, path), rootOver(hashes));
      if (other % size !== index)
        assert.notDeepEqual(rootFrom(leaves[index]!, other % size, size, path), rootOver(hashes));
    }),
  );
});

test("the tree is that of RFC 9162, also for known leaves", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 70 }), (given) => {
      const leaves = given.map((leaf) => Buffer.from(leaf));
      const hashes = Buffer.concat(leaves.map(leafHash));
      const before = Buffer.from(hashes);
      assert.deepEqual(rootOver(hashes), merkleTreeHash(leaves));
      assert.deepEqual(hashes, before, "what is handed in stays as it was");
    }),
  );
  // The vectors that implementations of Certificate Transparency share: the root over the first n of eight leaves.
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
  const hashes = Buffer.concat(leaves.map((leaf) => leafHash(Buffer.from(leaf, "hex"))));
  const roots = [1, 3, 5, 7, 8].map((count) => rootOver(hashes.subarray(0, count * hashBytes)).toString("hex"));
  assert.deepEqual(roots, [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]);
});

test("a statement's leaf is the hash of its DSSE encoding, whatever its text and length", () => {
  const body = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.constantFrom("é".repeat(2_500), "x".repeat(9_000)),
  );
  const text = fc.tuple(fc.constantFrom('{"_type":', '{"endedAt":'), body).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (payloads) => {
      const expected = payloads.map((payload) =>
        leafHash(preAuthenticationEncoding(typeOfStatement(payload), Buffer.from(payload))),
      );
      assert.deepEqual(leafHashes(payloads), Buffer.concat(expected));
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

test("the sites that a verifier knows are those of the receipt", () => {
  const [receipt] = receipts(1);
  const verdict = (sites: Readonly<Record<string, string>>) =>
    verifyReceipt({ receipt: receipt!, keys, sites: new Map(Object.entries(sites)) });
  assert.deepEqual(verdict({ here: "DE" }).checked, ["format", "signature", "statement", "sites"]);
  assert.match(verdict({ here: "FR" }).reason, /says that the site "here" lies in DE, and it lies in FR/);
  assert.match(verdict({ there: "DE" }).reason, /not among the given ones/);
});

test("receipts of the first version verify as they did", () => {
  const first = JSON.parse(readFileSync(new URL("./fixtures/version-1.json", import.meta.url), "utf8")) as {
    readonly [name in "keys" | "digestKey" | "request" | "response" | "leaves"]: string;
  } & { readonly receipts: readonly string[] };
  const given = { keys: Buffer.from(first.keys), digestKey: Buffer.from(first.digestKey) };
  for (const [index, text] of first.receipts.entries()) {
    const receipt = Buffer.from(text);
    const verified = verifyReceipt({ ...given, receipt, request: Buffer.from(first.request), tenant });
    assert.ok(verified.outcome === "valid", verified.reason);
    assert.equal(verified.leaf.toString("hex"), first.leaves.slice(index * 64, (index + 1) * 64));
    assert.equal(verified.stated.version, 1);
    const response = verifyReceipt({ ...given, receipt, response: Buffer.from(first.response) });
    assert.equal(response.outcome, index === 1 ? "unchecked" : "valid");
    const flipped = Buffer.from(receipt);
    for (let bit = 0; bit < receipt.length * 8; bit += 7) {
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(verifyReceipt({ ...given, receipt: flipped }).outcome, "invalid", `bit ${bit}`);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
});

const tenant = "prj_01KA0000000000000000000000";

test("keys are kept, private, and older ones stay in the set", () => {
  const path = join(folder, "rotated");
  const first = openSigningKeys(path, nowMs);
  assert.equal(openSigningKeys(path, nowMs).activeKeyId, first.activeKeyId);
  assert.equal(statSync(join(path, "2026-11-24T00-00-00-000Z.pem")).mode & 0o077, 0);
  assert.doesNotMatch(first.jwks(), /"d"/);
});
