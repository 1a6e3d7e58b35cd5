import assert from "node:assert/strict";
import { createHmac, createSecretKey } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { ByteDigest } from "./index.ts";

test("a digest is HMAC-SHA-256 of the bytes, however they came in parts, under a key of any length", () => {
  const bytes = fc
    .oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 3_000, maxLength: 9_000, size: "max" }))
    .map((each) => Buffer.from(each));
  const key = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((each) => Buffer.from(each));
  fc.assert(
    fc.property(key, fc.array(bytes, { maxLength: 9 }), (secret, parts) => {
      const digest = new ByteDigest({ id: "dgk_1", secret: createSecretKey(secret) });
      for (const part of parts) digest.update(part);
      const whole = Buffer.concat(parts);
      assert.equal(digest.value(), createHmac("sha256", secret).update(whole).digest("hex"));
      assert.equal(digest.bytes, whole.length);
    }),
  );
});

test("a long message of one part, and what comes after the value was asked for", () => {
  const secret = createSecretKey(Buffer.alloc(32, 7));
  for (const length of [0, 1, 55, 56, 64, 16_384, 16_385, 1_000_000]) {
    const message = Buffer.alloc(length, "x");
    const digest = new ByteDigest({ id: "dgk_1", secret });
    digest.update(message);
    const value = digest.value();
    assert.equal(value, createHmac("sha256", secret).update(message).digest("hex"), String(length));
    digest.update(Buffer.from("late"));
    assert.deepEqual([digest.value(), digest.bytes], [value, length]);
  }
});
