import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listen } from "./server.ts";

const app = "https://app.example";

async function listening(context: TestContext, corsOrigins: readonly string[]) {
  const answered: string[] = [];
  const gateway = await listen({
    host: "127.0.0.1",
    port: 0,
    corsOrigins,
    limits: { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, connections: 10 },
    // As an answer begins: with its headers as a list.
    openai: (request, response) => {
      answered.push(`${request.method} ${request.url}`);
      response.writeHead(401, ["content-type", "application/json", "bailiwick-receipt", "rcpt_1"]).end("{}");
    },
    control: (_, response) => void response.writeHead(200).end("control"),
    log: (_, response) => void response.writeHead(200).end("log"),
    plain: new Map([["/.well-known/bailiwick/keys", () => ({ status: 200, body: "{}" })]]),
  });
  context.after(() => (gateway.destroy(), gateway.close()));
  const ask = async (path: string, method: string, headers: Record<string, string>) => {
    const response = await fetch(`${gateway.url}${path}`, { method, headers });
    await response.text();
    const said = [...response.headers].filter(([name]) => name.startsWith("access-control-"));
    return { status: response.status, said: Object.fromEntries(said), vary: response.headers.get("vary") };
  };
  return { ask, answered };
}

const preflight = {
  origin: app,
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,content-type,x-stainless-os",
};

test("a page of a named origin asks beforehand, and then calls and reads what an answer says", async (context) => {
  const { ask, answered } = await listening(context, [app]);
  const before = await ask("/v1/chat/completions", "OPTIONS", preflight);
  assert.equal(before.status, 204);
  assert.deepEqual(before.said, {
    "access-control-allow-origin": app,
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "authorization,content-type,x-stainless-os",
    "access-control-max-age": "600",
  });
  assert.deepEqual(answered, [], "a preflight has no key, and reaches nobody");
  for (const path of ["/v1/chat/completions", "/log/checkpoint", "/.well-known/bailiwick/keys"]) {
    const { said, vary } = await ask(path, "GET", { origin: app });
    assert.equal(said["access-control-allow-origin"], app, path);
    assert.match(said["access-control-expose-headers"] ?? "", /x-request-id.*bailiwick-receipt/);
    assert.equal(said["access-control-allow-credentials"], undefined);
    assert.equal(vary, "origin");
  }
});

test("other origins, and what only looks like one, are let read nothing; nor does anybody the control API", async (context) => {
  const { ask, answered } = await listening(context, [app]);
  for (const origin of ["https://evil.example", `${app}.evil.example`, `${app}:8443`, "http://app.example", "null"]) {
    const { said, status } = await ask("/v1/models", "OPTIONS", { ...preflight, origin });
    assert.deepEqual([said, status], [{}, 401], origin);
    assert.deepEqual((await ask("/v1/models", "GET", { origin })).said, {}, origin);
  }
  assert.equal(answered.length, 10);
  assert.deepEqual((await ask("/control/v1/keys", "OPTIONS", preflight)).said, {});
  assert.deepEqual((await ask("/", "GET", { origin: app })).said, {});
  const odd = await ask("/v1/models", "OPTIONS", { ...preflight, "access-control-request-headers": "a b;c" });
  assert.equal(odd.said["access-control-allow-headers"], undefined);
});

test("without the setting no header says anything of origins", async (context) => {
  const { ask } = await listening(context, []);
  const { said, vary, status } = await ask("/v1/models", "OPTIONS", preflight);
  assert.deepEqual([said, vary, status], [{}, null, 401]);
});
