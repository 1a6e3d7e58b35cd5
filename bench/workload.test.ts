import assert from "node:assert/strict";
import { test } from "node:test";
import { chatBody } from "./workload.ts";

test("a request has exactly the bytes that were asked for, and is JSON", () => {
  for (const bytes of [200, 728, 729, 4096]) {
    const body = chatBody({ model: "bench-paced", tokens: 100, stream: true, bytes });
    assert.equal(Buffer.byteLength(body), bytes);
    assert.equal((JSON.parse(body) as { max_tokens: number }).max_tokens, 100);
  }
  assert.throws(() => chatBody({ model: "bench-paced", tokens: 1, stream: false, bytes: 10 }), RangeError);
});
