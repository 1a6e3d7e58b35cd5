import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { preAuthenticationEncoding } from "./envelope.ts";

/** The test vector of github.com/secure-systems-lab/dsse, protocol.md: an implementation of others has signed it (P-256). */
const vector = {
  type: "http://example.com/HelloWorld",
  payload: "hello world",
  encoded: "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  signature: "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==",
  x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
  y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
} as const;

function coordinate(value: bigint): string {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").toString("base64url");
}

test("what DSSE signs of a payload is what the reference implementation has signed", () => {
  const encoded = preAuthenticationEncoding(vector.type, Buffer.from(vector.payload));
  assert.equal(encoded.toString(), vector.encoded);
  const key = { kty: "EC", crv: "P-256", x: coordinate(vector.x), y: coordinate(vector.y) };
  const publicKey = createPublicKey({ format: "jwk", key });
  const signature = Buffer.from(vector.signature, "base64");
  assert.ok(verify("sha256", encoded, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature));
});

test("lengths are those of the bytes, not of the characters", () => {
  const encoded = preAuthenticationEncoding("a/b", Buffer.from("é"));
  assert.equal(encoded.toString(), "DSSEv1 3 a/b 2 é");
});
