import assert from "node:assert/strict";
import { test } from "node:test";
import { isInside } from "../base/index.ts";
import { hubStorage, outsideLookup, RedirectRefused, redirectTarget } from "./redirects.ts";

const from = new URL("https://huggingface.co/a/b/resolve/main/c.gguf");

function target(location: string, hub = "https://huggingface.co", domains = hubStorage): string {
  try {
    const { url, isHub } = redirectTarget(new URL(from.pathname, hub), location, { hub: new URL(hub), domains });
    return `${isHub ? "hub" : "storage"} ${url.href}`;
  } catch (error) {
    assert.ok(error instanceof RedirectRefused, String(error));
    return error.message;
  }
}

test("a download is followed within the hub, and to its storage over TLS", () => {
  assert.equal(target("/renamed/c.gguf"), "hub https://huggingface.co/renamed/c.gguf");
  assert.equal(target("https://cas-bridge.xethub.hf.co/x?y=1"), "storage https://cas-bridge.xethub.hf.co/x?y=1");
  assert.equal(target("/x", "http://10.0.0.9:8080"), "hub http://10.0.0.9:8080/x");
  assert.equal(target("https://mirror.lan/x", "http://mirror.lan"), "hub https://mirror.lan/x");
  assert.equal(target("https://cdn.own.example/x", undefined, ["own.example"]), "storage https://cdn.own.example/x");
});

test("it is followed nowhere else: another domain, without TLS, an address, what only looks like one of them", () => {
  for (const location of [
    "http://cdn.hf.co/x",
    "https://evil.example/x",
    "https://evilhf.co/x",
    "https://hf.co.evil.example/x",
    "https://hf.co@evil.example/x",
    "https://169.254.169.254/latest/meta-data",
    "https://[::1]/x",
    "https://2130706433/x",
    "http://huggingface.co/x",
    "ftp://hf.co/x",
    "file:///etc/passwd",
    "https://",
  ]) {
    assert.match(target(location), /^it is sent on to /, location);
  }
  assert.match(target("https://10.0.0.9:9200/x", "http://10.0.0.9:8080"), /^hub /, "the hub's own machine, over TLS");
  assert.match(target("https://10.0.0.8/x", "http://10.0.0.9:8080"), /^it is sent on to https:\/\/10\.0\.0\.8/);
  assert.match(
    target("https://10.0.0.8/x", undefined, ["10.0.0.8"]),
    /^it is sent on to/,
    "also where settings name it",
  );
});

test("addresses of one's own networks are known, also those that are written as IPv6", () => {
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
  ])
    assert.ok(isInside(address), address);
  // 10.0.0.1 by 6to4, Teredo's server, local translation, compatible and translated ones; then site-local and documentation.
  const carrying = [
    "2002:a00:1::1",
    "2001:0:a00:1::1",
    "64:ff9b:1::a00:1",
    "::10.0.0.1",
    "::a00:1",
    "::ffff:0:10.0.0.1",
    "fec0::1",
    "2001:db8::1",
    "203.0.113.1",
  ];
  for (const address of [
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::a00:1",
    ...carrying,
  ])
    assert.ok(isInside(address), address);
  for (const address of ["8.8.8.8", "172.32.0.1", "2606:4700::1", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
    assert.ok(!isInside(address), address);
});

test("a name of the storage's that leads inside is not connected to", async () => {
  const { promise, resolve } = Promise.withResolvers<Error | null>();
  outsideLookup("localhost", {}, (error) => resolve(error));
  assert.match((await promise)?.message ?? "", /is no address of the Internet/);
});
