import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { narrowingHeaders, narrowingOf } from "./narrowing-headers.ts";

test("a request without headers of ours asks for nothing, and what is not ours is not looked at", () => {
  assert.equal(narrowingOf({ authorization: "Bearer x", "x-bailiwick-purpose": "y" }), undefined);
  const asked = narrowingOf({ "bailiwick-purpose": "care", "bailiwick-regimes": "" });
  assert.deepEqual(JSON.parse(JSON.stringify(asked)), { purpose: "care", regimes: "" });
});

test("one of ours that nobody knows is refused with what was meant", () => {
  const refused = narrowingOf({ "bailiwick-regime": "open" });
  assert.ok(refused !== undefined && "outcome" in refused);
  assert.deepEqual(
    [refused.code, refused.param, refused.message],
    ["invalid_request", "bailiwick-regime", 'There is no header "bailiwick-regime". Did you mean "bailiwick-regimes"?'],
  );
});

test("docs/reference/parameters.md lists exactly these headers", () => {
  const reference = readFileSync(new URL("../../../docs/reference/parameters.md", import.meta.url), "utf8");
  const listed = [...reference.matchAll(/^\| `(bailiwick-[a-z-]+)` /gm)].map((row) => row[1]);
  assert.deepEqual(listed, Object.values(narrowingHeaders));
});
