import assert from "node:assert/strict";
import { test } from "node:test";
import { addressText, isEverywhere, parseAddress } from "./index.ts";

test("an address reads as it is written, and what is none is refused", () => {
  for (const [text, host, port] of [
    ["10.0.0.7:7443", "10.0.0.7", 7_443],
    ["host.example:0", "host.example", 0],
    ["[2001:db8::1]:65535", "2001:db8::1", 65_535],
    ["[::]:80", "::", 80],
  ] as const) {
    assert.deepEqual(parseAddress(text), { host, port });
    assert.equal(addressText({ host, port }), text);
  }
  for (const text of [
    "",
    "7443",
    ":7443",
    "host",
    "host:",
    "host:65536",
    "::1:80",
    "a b:1",
    "[fe80::1%eth0]:1",
    "u@h:1",
  ]) {
    assert.equal(parseAddress(text), undefined, text);
  }
  assert.deepEqual(["0.0.0.0", "::", "127.0.0.1"].map(isEverywhere), [true, true, false]);
});
