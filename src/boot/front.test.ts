import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { parseSettings } from "../config/index.ts";
import { Failed } from "./failed.ts";
import { openFront } from "./front.ts";

function settingsAt(port: number, host = "127.0.0.1") {
  const loaded = parseSettings({ text: "", overrides: { listen: { host, port } } });
  assert.ok(loaded.outcome === "loaded");
  return loaded.settings;
}

test("while a cloud starts its health is answered, and all else is told so; then what stands behind it answers", async (context) => {
  const front = await openFront(settingsAt(0));
  context.after(() => (front.destroy(), front.close()));
  const answered = async (path: string, method = "GET") => {
    const response = await fetch(`${front.url}${path}`, { method, ...(method === "POST" ? { body: "{}" } : {}) });
    return { status: response.status, body: (await response.json()) as { status?: string; error?: { code: string } } };
  };
  assert.deepEqual(await answered("/healthz"), { status: 200, body: { status: "ok" } });
  assert.deepEqual(await answered("/readyz"), { status: 503, body: { status: "starting" } });
  for (const path of ["/v1/models", "/control/v1/status", "/", "/.well-known/bailiwick/keys"]) {
    const { status, body } = await answered(path);
    assert.deepEqual([status, body.error?.code], [503, "engine_unavailable"], path);
  }
  assert.equal((await answered("/v1/chat/completions", "POST")).body.error?.code, "engine_unavailable");
  let state: "ready" | "draining" = "ready";
  front.open({
    openai: (_, response) => response.end('{"status":"openai"}'),
    control: (_, response) => response.end('{"status":"control"}'),
    state: () => state,
    log: (_, response) => response.end("log"),
    aboutLog: () => "{}",
    jwks: () => '{"status":"keys"}',
  });
  assert.deepEqual(await answered("/readyz"), { status: 200, body: { status: "ready" } });
  assert.equal((await answered("/v1/models")).body.status, "openai");
  assert.equal((await answered("/")).body.status, "control");
  assert.equal((await answered("/.well-known/bailiwick/keys")).body.status, "keys");
  state = "draining";
  assert.deepEqual(await answered("/readyz"), { status: 503, body: { status: "draining" } });
});

test("an address that cannot be had is a failure in words", async (context) => {
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  context.after(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  await assert.rejects(openFront(settingsAt(port)), (error) => error instanceof Failed && /in use/.test(error.message));
  const elsewhere = openFront(settingsAt(0, "192.0.2.1"));
  await assert.rejects(
    elsewhere,
    (error) => error instanceof Failed && /no address of this machine/.test(error.message),
  );
});
