import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request as sendRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { errorCodes, InexactNumber, refuse } from "../../base/index.ts";
import { base } from "./register.ts";
import { controlRoutes } from "./control.ts";
import { fakeToken as token, startFakeControl } from "./fake-control.ts";
import type { FakeOperations } from "./fake-operations.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly json: () => Record<string, never>;
}

interface Served {
  readonly operations: FakeOperations;
  readonly failures: unknown[];
  readonly openapi: () => object;
  readonly ask: (
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly raw?: string; readonly headers?: Record<string, string> },
  ) => Promise<Answer>;
}

async function serve(context: TestContext): Promise<Served> {
  const { operations, failures, openapi, url, close } = await startFakeControl();
  const { port } = new URL(url);
  context.after(close);
  const ask: Served["ask"] = async (method, path, { body, raw, headers = {} } = {}) => {
    const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const request = sendRequest({
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: { ...(sent === undefined ? {} : { "content-type": "application/json" }), ...headers },
    });
    request.end(sent);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk as string;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as Record<string, never>,
    };
  };
  return { operations, failures, openapi, ask };
}

const operator = { authorization: `Bearer ${token}` };
const concrete = (path: string): string => `${base}${path.replaceAll(/:\w+/g, "x")}`;

test("every route declares a permission, is in the OpenAPI document, and answers nobody without the token", async (context) => {
  const { operations, openapi, ask } = await serve(context);
  const routes = controlRoutes(operations);
  const { paths } = openapi() as { paths: Record<string, Record<string, { operationId: string; summary: string }>> };
  assert.equal(new Set(routes.map(({ name }) => name)).size, routes.length);
  for (const route of routes) {
    assert.match(route.permission, /^(operator|tenant:\w+)$/, route.name);
    const described = paths[`${base}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`]?.[route.method.toLowerCase()];
    assert.equal(described?.operationId, route.name);
    const without = await ask(route.method, concrete(route.path));
    assert.equal(without.status, 401, route.name);
    const wrong = await ask(route.method, concrete(route.path), { headers: { authorization: `Bearer ${token}x` } });
    assert.equal(wrong.status, 403, route.name);
  }
  // Also what is not there: the paths of the control API are nobody else's to explore.
  assert.equal((await ask("GET", `${base}/nothing`)).status, 401);
  assert.equal((await ask("GET", `${base}/nothing`, { headers: operator })).status, 404);
});

test("a route of Fastify's own without a permission cannot be registered", async () => {
  const { default: fastify } = await import("fastify");
  const { guard } = await import("./control.ts");
  const app = fastify();
  guard(app, {
    operatorToken: token,
    operatorName: "operator",
    findOperator: () => Promise.resolve(undefined),
    identify: () => refuse("invalid_key", "This key is not known."),
  });
  assert.throws(() => app.get("/open", () => "open"), /declares no permission/);
  await app.close();
});

test("organisations, projects and keys are made, listed, changed and revoked; a secret leaves once", async (context) => {
  const { ask } = await serve(context);
  const post = (path: string, body: unknown) => ask("POST", `${base}${path}`, { body, headers: operator });
  assert.equal((await post("/organisations", { name: "ministry", limits: { monthlyBudget: "10.50" } })).status, 201);
  const project = await post("/projects", { organisation: "ministry", name: "default", processing: ["de"] });
  assert.equal(project.status, 201);
  assert.deepEqual(project.json()["processing"], ["DE"]);
  assert.equal(project.json()["tier"], "standard");
  const moved = await ask("PATCH", `${base}/projects/default`, { body: { organisation: "b" }, headers: operator });
  assert.equal(moved.status, 400, "what was used is its organisation's: a project stays there");
  const batch = await ask("PATCH", `${base}/projects/default`, { body: { tier: "batch" }, headers: operator });
  assert.equal(batch.json()["tier"], "batch");
  const created = await post("/keys", { project: "ministry/default", limits: { requestsPerMinute: 60 } });
  assert.equal(created.status, 201);
  assert.equal(created.headers["cache-control"], "no-store");
  const { id, key } = created.json() as unknown as { id: string; key: string };
  assert.match(key, /^bw_/);
  for (const path of ["/keys", `/keys/${id}`]) {
    const shown = await ask("GET", `${base}${path}`, { headers: operator });
    assert.equal(shown.status, 200);
    assert.ok(!shown.text.includes(key), path);
  }
  const changed = await ask("PATCH", `${base}/keys/${id}`, {
    body: { limits: { requestsPerMinute: null, monthlyBudget: "3.0" } },
    headers: operator,
  });
  const { limits } = changed.json() as unknown as { limits: Record<string, unknown> };
  assert.equal(limits["requestsPerMinute"], null);
  assert.equal(limits["monthlyBudget"], "3");
  const revoked = await post(`/keys/${id}/revoke`, {});
  assert.equal(revoked.json()["revokedAt"], "2026-03-01T12:00:00.000Z");
  const encoded = await ask("GET", `${base}/projects/ministry%2Fdefault`, { headers: operator });
  assert.equal(encoded.json()["name"], "default");
  const erased = await ask("DELETE", `${base}/projects/default/digest-key`, { headers: operator });
  assert.deepEqual([erased.json()["erased"], erased.json()["digestKey"]], ["dk_1", "dk_1+"]);
});

test("bad input is refused in the one error shape, with the field at fault", async (context) => {
  const { ask, failures } = await serve(context);
  const cases: [string, string, Parameters<typeof ask>[2], string, string | null][] = [
    ["POST", "/organisations", { body: { name: "a b" } }, "invalid_request", "name"],
    ["POST", "/projects", { body: { organisation: "o", name: "p", tier: "flex" } }, "invalid_request", "tier"],
    ["POST", "/organisations", { body: { name: "a", colour: 1 } }, "invalid_request", "colour"],
    [
      "POST",
      "/organisations",
      { body: { name: "a", limits: { monthlyBudget: 5 } } },
      "invalid_request",
      "limits.monthlyBudget",
    ],
    [
      "POST",
      "/organisations",
      { body: { name: "a", limits: { monthlyBudget: "-5" } } },
      "invalid_request",
      "limits.monthlyBudget",
    ],
    ["POST", "/keys", { body: { project: "p", limits: { models: ["a", 7] } } }, "invalid_request", "limits.models[1]"],
    ["POST", "/keys", { body: [] }, "invalid_request", null],
    ["POST", "/keys", { raw: "{" }, "malformed_json", null],
    ["POST", "/keys", { raw: "", headers: { "content-type": "application/json" } }, "malformed_json", null],
    ["POST", "/keys", { raw: "a=b", headers: { "content-type": "text/plain" } }, "unsupported_media_type", null],
    ["POST", "/keys", { raw: JSON.stringify({ project: "x".repeat(1 << 20) }) }, "body_too_large", null],
    ["GET", "/keys?limit=1001", {}, "invalid_request", "limit"],
    ["GET", "/keys?colour=red", {}, "invalid_request", "colour"],
    ["GET", "/usage?from=2026-02-30", {}, "invalid_request", "from"],
    ["PUT", "/keys", { body: {} }, "method_not_allowed", null],
    ["GET", "/keys/none", {}, "not_found", null],
    ["GET", `/keys/${"k".repeat(300)}`, {}, "invalid_request", "key"],
    ["GET", "/models/smollm2-135m-instrukt", {}, "model_not_found", "model"],
    ["POST", "/backups", { body: { path: "relative" } }, "invalid_request", "path"],
  ];
  for (const [method, path, options, code, param] of cases) {
    const answer = await ask(method, `${base}${path}`, { ...options, headers: { ...operator, ...options?.headers } });
    const { error } = answer.json() as unknown as { error: Record<string, unknown> };
    assert.deepEqual([error["code"], error["param"]], [code, param], `${method} ${path}: ${answer.text}`);
    assert.equal(answer.status, errorCodes[code as keyof typeof errorCodes].status);
    assert.match(String(answer.headers["content-type"]), /^application\/json/);
  }
  assert.deepEqual(failures, []);
});

test("reservations are made, listed, ended and metered; what is not named in the body is refused", async (context) => {
  const { ask } = await serve(context);
  const post = (path: string, body: unknown) => ask("POST", `${base}${path}`, { body, headers: operator });
  await post("/organisations", { name: "ministry" });
  await post("/projects", { organisation: "ministry", name: "app" });
  const made = await post("/reservations", { project: "app", device: "cpu", hours: 24, note: "training" });
  assert.equal(made.status, 201, made.text);
  const { id } = made.json() as unknown as { id: string };
  assert.deepEqual(
    [made.json()["until"], made.json()["state"], made.json()["share"], made.json()["warnings"]],
    ["2026-03-02T12:00:00.000Z", "active", null, ["cpu is the only device: nobody else has one while it holds."]],
  );
  assert.equal((await post("/reservations", { project: "app", device: "cpu", hours: 1 })).status, 409);
  assert.equal((await post("/reservations", { project: "app", device: "gpu", hours: 1 })).status, 404);
  for (const [body, param] of [
    [{ project: "app", share: 1.1, hours: 1 }, "share"],
    [{ project: "app", share: 0.1, from: "2026-03-01" }, "from"],
    [{ project: "app", share: 0.1, hours: 1, note: "a\u0000b" }, "note"],
    [{ project: "app", share: 0.1, hours: 1, price: 1 }, "price"],
  ] as const) {
    const { error } = (await post("/reservations", body)).json() as unknown as { error: Record<string, unknown> };
    assert.deepEqual([error["code"], error["param"]], ["invalid_request", param]);
  }
  const listed = await ask("GET", `${base}/reservations?active=true&project=app`, { headers: operator });
  assert.equal((listed.json()["items"] as unknown as object[]).length, 1);
  assert.equal((await ask("GET", `${base}/reservations?active=1`, { headers: operator })).status, 400);
  const ended = await post(`/reservations/${id}/end`, {});
  assert.deepEqual([ended.status, ended.json()["endedAt"]], [200, "2026-03-01T12:00:00.000Z"]);
  const usage = await ask("GET", `${base}/reservations/usage?from=2026-03-01&to=2026-03-31`, { headers: operator });
  assert.deepEqual(usage.json()["items"], [
    { reservation: id, organisation: "ministry", project: "app", device: "cpu", share: null, hours: "1.5" },
  ]);
  assert.equal((await ask("GET", `${base}/reservations/usage?from=2026-03-01`, { headers: operator })).status, 400);
});

test("a limit names models that there are, or is refused with the nearest; an upstream may bring one later", async (context) => {
  const { ask, operations } = await serve(context);
  const make = (name: string, limits: unknown) =>
    ask("POST", `${base}/organisations`, { body: { name, limits }, headers: operator });
  const refused = await make("o", { models: ["fake", "smolm2-135m"] });
  const { error } = refused.json() as unknown as { error: Record<string, string> };
  assert.deepEqual([error["code"], error["param"]], ["model_not_found", "limits.models[1]"]);
  assert.match(error["message"] ?? "", /Did you mean "smollm2-135m-instruct"\?$/);
  assert.equal((await ask("GET", `${base}/organisations/o`, { headers: operator })).status, 404, "nothing was made");
  const known = await make("known", { models: ["fake", "qwen3-8b"], requestsPerMinute: 1 });
  assert.deepEqual(known.json()["warnings"], []);
  const [own] = operations.cloud.destinations();
  operations.cloud.destinations = () => [own!, { ...own!, name: "other", kind: "upstream", models: [] }];
  const odd = await make("odd", { models: ["later"], requestsPerMinute: 0, tokensPerMinute: 0 });
  assert.equal(odd.status, 201);
  const warnings = odd.json()["warnings"] as unknown as string[];
  assert.match(warnings[0] ?? "", /no model "later"\. An upstream may bring it/);
  assert.deepEqual(warnings.slice(1), [
    "0 requests a minute are permitted: no request will run.",
    "0 tokens a minute are permitted: no request will run.",
  ]);
  const changed = await ask("PATCH", `${base}/organisations/odd`, {
    body: { limits: { models: [] } },
    headers: operator,
  });
  assert.deepEqual(changed.json()["warnings"], ["No model is permitted: no request will run."]);
  assert.ok(!("warnings" in (await ask("GET", `${base}/organisations/odd`, { headers: operator })).json()));
});

test("usage of what there is not is refused; of a model that is gone it is shown", async (context) => {
  const { ask, operations } = await serve(context);
  const usage = async (query: string) => {
    const answer = await ask("GET", `${base}/usage?${query}`, { headers: operator });
    const body = answer.json() as unknown as { error?: { code: string; message: string }; items?: unknown[] };
    return body.error ?? body.items?.length;
  };
  for (const name of ["organisation", "project", "key"]) {
    assert.match(JSON.stringify(await usage(`${name}=nope`)), /"not_found"/, name);
  }
  assert.match(JSON.stringify(await usage("model=fak")), /Did you mean \\"fake\\"\?".*model_not_found/);
  assert.equal(await usage("model=fake"), 0);
  const { cloud, usage: rows } = operations;
  rows.report = ({ model, project }) =>
    Promise.resolve({ items: model === "gone" && project === undefined ? [{} as never] : [], next: null });
  await ask("POST", `${base}/organisations`, { body: { name: "o" }, headers: operator });
  await ask("POST", `${base}/projects`, { body: { organisation: "o", name: "p" }, headers: operator });
  assert.equal(await usage("model=gone&project=o%2Fp"), 0);
  const explained = await ask("GET", `${base}/policy/explain?project=p&model=qwen3-8b`, { headers: operator });
  assert.match(explained.text, /"qwen3-8b\\" is in the catalogue but not served; start with --model qwen3-8b/);
  const status = await ask("GET", `${base}/status`, { headers: operator });
  assert.equal(status.json()["currency"], "EUR");
  cloud.priceOf = () => undefined;
  assert.equal((await ask("GET", `${base}/status`, { headers: operator })).json()["currency"], null);
});

test("a defect says nothing but the request's id, and is reported", async (context) => {
  const { ask, failures, operations } = await serve(context);
  operations.cloud.status = () => Promise.reject(new Error("secret detail"));
  const answer = await ask("GET", `${base}/status`, { headers: operator });
  assert.equal(answer.status, 500);
  assert.ok(!answer.text.includes("secret detail"));
  assert.ok(answer.text.includes(String(answer.headers["x-request-id"])));
  assert.equal(failures.length, 1);
});

test("usage waits for the shipping, says so when it stays behind, and comes in pages", async (context) => {
  const { ask, operations } = await serve(context);
  const row = {
    organisation: "o",
    project: "p",
    key: "k",
    day: "2026-03-01",
    requests: 1,
    inputTokens: 2,
    cachedInputTokens: 0,
    outputTokens: 3,
    unrated: 0,
    amount: "0.0000014",
    currency: "EUR",
  };
  for (const model of ["a", "b", "c"]) operations.usageRows.push({ ...row, model });
  const first = await ask("GET", `${base}/usage?limit=2`, { headers: operator });
  const { items, next } = first.json() as unknown as { items: { model: string }[]; next: string };
  assert.deepEqual(
    items.map(({ model }) => model),
    ["a", "b"],
  );
  const second = await ask("GET", `${base}/usage?limit=2&after=${next}`, { headers: operator });
  assert.equal(second.json()["next"], null);
  operations.shipped = false;
  const behind = await ask("GET", `${base}/usage`, { headers: operator });
  assert.equal(behind.status, 503);
  assert.equal(behind.headers["retry-after"], "10");
});

test("a model is added, pulled line by line, listed and removed", async (context) => {
  const { ask } = await serve(context);
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-model-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "not-a-model.gguf");
  writeFileSync(file, "this is no GGUF");
  const entry = {
    name: "mine",
    family: "f",
    developer: { name: "d" },
    licence: { spdx: "MIT" },
    contextTokens: 10,
    sources: [`file:${file}`],
  };
  const added = await ask("POST", `${base}/models`, { body: entry, headers: operator });
  assert.equal(added.status, 201, added.text);
  assert.deepEqual([added.json()["state"], added.json()["served"]], ["absent", false]);
  const lacking = await ask("POST", `${base}/models`, { body: { name: "x" }, headers: operator });
  assert.match(lacking.text, /"message":"`family` is required\."/);
  const pulled = await ask("POST", `${base}/models/mine/pull`, { headers: operator });
  assert.equal(pulled.headers["content-type"], "application/x-ndjson");
  const last = JSON.parse(pulled.text.trim().split("\n").at(-1) ?? "") as { event: string; error: { code: string } };
  assert.deepEqual([last.event, last.error.code], ["failed", "model_invalid"]);
  const removed = await ask("DELETE", `${base}/models/mine`, { headers: operator });
  assert.deepEqual(removed.json(), { model: "mine", fileRemoved: false, entryRemoved: true });
  const listed = await ask("GET", `${base}/models?limit=1`, { headers: operator });
  const { items, next } = listed.json() as unknown as { items: { name: string }[]; next: string };
  assert.equal(next, items[0]?.name);
});

test("the pool: what the operation says leaves, and nothing that the schema does not name", async (context) => {
  const { ask, operations } = await serve(context);
  const status = operations.cloud.pool();
  const [host] = status.hosts;
  operations.cloud.pool = () => ({
    ...status,
    hosts: [{ ...host!, socketPath: "/secret" } as typeof host & object, { ...host!, ageMs: null, pool: null }],
    upstreams: [{ name: "gpu", site: { name: "there", jurisdiction: null }, ready: false, running: 0 }],
    reserved: [{ ...status.reserved[0]!, tenant: "prj_1" } as (typeof status.reserved)[number]],
  });
  const answer = await ask("GET", `${base}/pool`, { headers: operator });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), {
    at: "2026-03-01T12:00:00.000Z",
    reserved: [status.reserved[0]],
    hosts: [host, { ...host, ageMs: null, pool: null }],
    upstreams: [{ name: "gpu", site: { name: "there", jurisdiction: null }, ready: false, running: 0 }],
  });
});

test("metrics and the OpenAPI document: on loopback when asked directly, else with the token", async (context) => {
  const { ask } = await serve(context);
  for (const path of ["/metrics", "/openapi.json"]) {
    assert.equal((await ask("GET", path)).status, 200);
    for (const headers of [
      { "x-forwarded-for": "192.0.2.1" },
      { forwarded: "for=192.0.2.1" },
      { host: "evil.example" },
    ]) {
      assert.equal((await ask("GET", path, { headers })).status, 401);
      assert.equal((await ask("GET", path, { headers: { ...headers, ...operator } })).status, 200);
    }
  }
});

test("the OpenAPI document is 3.1, has /v1 beside /control, and all its references resolve", async (context) => {
  const { ask } = await serve(context);
  const document = (await ask("GET", "/openapi.json")).json() as unknown as { openapi: string; paths: object };
  assert.match(document.openapi, /^3\.1\./);
  for (const path of [
    "/v1/chat/completions",
    "/v1/messages",
    "/v1/models",
    "/v1/receipts/{id}",
    "/.well-known/bailiwick/keys",
    "/readyz",
  ]) {
    assert.ok(path in document.paths, path);
  }
  const text = JSON.stringify(document);
  for (const [, pointer = ""] of text.matchAll(/"\$ref":"#([^"]*)"/g)) {
    const found = pointer
      .split("/")
      .slice(1)
      .reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], document);
    assert.ok(found !== undefined, pointer);
  }
  const ids = [...text.matchAll(/"operationId":"([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test("the page: plain HTML under a content policy, its own files, names escaped, nothing of a tenant", async (context) => {
  const { ask } = await serve(context);
  await ask("POST", `${base}/organisations`, { body: { name: "tenant-zebra" }, headers: operator });
  const page = await ask("GET", "/", { headers: { host: "cloud.example:8080" } });
  assert.equal(page.status, 200);
  assert.match(String(page.headers["content-type"]), /^text\/html/);
  const policy = String(page.headers["content-security-policy"]);
  assert.match(policy, /default-src 'none'/);
  assert.ok(!policy.includes("unsafe"));
  assert.ok(!/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=/i.test(page.text), "no inline script or style");
  assert.ok(!page.text.includes("here<script>"));
  assert.ok(page.text.includes("curl http://cloud.example:8080/v1/chat/completions"));
  const named = [...page.text.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)].map(([, path]) => path ?? "");
  assert.equal(named.length, 3);
  for (const path of named) {
    const file = await ask("GET", path);
    assert.equal(file.status, 200, path);
    assert.equal(file.headers["x-content-type-options"], "nosniff");
  }
  const status = await ask("GET", "/page/status.json");
  assert.deepEqual(Object.keys(status.json()).toSorted(), ["live", "models", "site", "state", "version"]);
  assert.ok(!`${page.text}${status.text}`.includes("tenant-zebra"));
  const evil = await ask("GET", "/", { headers: { host: `x"><img src=y>` } });
  assert.ok(!evil.text.includes("<img"));
});

test("the page on jurisdiction is anybody's, and runs nothing; other reports are the operator's", async (context) => {
  const control = await startFakeControl();
  context.after(control.close);
  const page = await fetch(`${control.url}/.well-known/bailiwick/jurisdiction`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /^<!doctype html>/);
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /script-src|img-src|connect-src/);
  const json = await fetch(`${control.url}/.well-known/bailiwick/jurisdiction.json`);
  assert.deepEqual(await json.json(), { report: "jurisdiction" });
  for (const name of ["sovereignty", "processing", "transfers", "sub-processors", "jurisdiction", "ai-act-log"]) {
    assert.equal((await fetch(`${control.url}/control/v1/reports/${name}`)).status, 401, name);
  }
});

test("what no path, no database and no stack can hold is refused in words, and is no defect", async (context) => {
  const { ask, failures } = await serve(context);
  const headers = { authorization: `Bearer ${token}` };
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const erasure = (reason: string) => ({ project: "p", request: "req_01KA0000000000000000000001", reason });
  const answers = await Promise.all([
    ask("PUT", `${base}/facts`, { headers, raw: `{"basedOn":0,"document":{"a":${deep}}}` }),
    ask("POST", `${base}/erasures`, { headers, body: erasure("a\u0000b") }),
    ask("POST", `${base}/erasures`, { headers, body: erasure("\ud800") }),
    ask("POST", `${base}/hosts/%00/revoke`, { headers }),
    ask("GET", `${base}/organisations/%ud8`, { headers }),
    ...[
      "usage/metered?sku=%00",
      "usage/metered?after=%00",
      "usage/unrated?after=a%07",
      "invoice-documents?number=%00",
      "invoice-documents?invoice=a%00",
      "invoice-documents?after=a%0Ab",
      "invoices/%00",
      "ledger/postings/%00/why",
      "wallets/%00",
      "reports/revenue?quarter=0000Q1",
      "reports/revenue?quarter=0001Q1",
      "reports/revenue?quarter=9999Q4",
    ].map((path) => ask("GET", `${base}/${path}`, { headers })),
    ask("POST", `${base}/invoices/%00/finalize`, { headers }),
    ask("POST", `${base}/invoices/inv_1/credits`, { headers, body: { reason: "a\u0000b" } }),
    ask("POST", `${base}/organisations`, { headers, body: { name: "o", limits: { models: ["\u0000"] } } }),
  ]);
  for (const { status, text } of answers) {
    assert.equal(status, 400);
    assert.match(text, /"code":"invalid_request"/);
  }
  assert.deepEqual(failures, []);
});

test("usage is told with the digits that it was written with, and with no member twice, in each form of a body", async (context) => {
  const { operations, ask } = await serve(context);
  const told: unknown[] = [];
  operations.books.recordUsage = (records) => {
    told.push(...records);
    return Promise.resolve({ accepted: records.length, duplicates: 0, unrated: 0, late: 0, warnings: [] });
  };
  const path = `${base}/usage`;
  const record = '{"customer": "a", "quantity": 123456789.123456789, "count": 1e-7}';
  const event = { ...operator, "ce-id": "1" };
  for (const type of ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"]) {
    const headers = { ...operator, "content-type": type };
    assert.equal((await ask("POST", path, { headers, raw: `[${record}]` })).status, 200);
  }
  assert.equal((await ask("POST", path, { headers: event, raw: record })).status, 200);
  const kept = { customer: "a", quantity: new InexactNumber("123456789.123456789"), count: 1e-7 };
  assert.deepEqual(told, [kept, kept, kept, { id: "1", data: kept }]);
  const twice = `[${record}, {"customer": "b", "quantity": 1, "customer": "c"}]`;
  const refused = await ask("POST", path, { headers: operator, raw: twice });
  assert.equal(refused.status, 422);
  assert.match(
    refused.text,
    /"message":"The usage is not valid: record 2: customer is there twice\.".*"code":"usage_invalid"/,
  );
  assert.match(refused.text, /"reasons":\["record 2: customer is there twice"\]/);
  assert.equal((await ask("POST", path, { headers: operator, raw: "{" })).status, 400);
  // Elsewhere a body is what a reader of JSON makes of it.
  const raw = '{"name": "o", "name": "p"}';
  assert.equal((await ask("POST", `${base}/organisations`, { headers: operator, raw })).status, 201);
});

test("a CloudEvent whose attributes are headers is the same as one that is a body", async (context) => {
  const { operations, ask } = await serve(context);
  const told: unknown[] = [];
  operations.books.recordUsage = (records) => {
    told.push(...records);
    return Promise.resolve({ accepted: records.length, duplicates: 0, unrated: 0, late: 0, warnings: [] });
  };
  const path = `${base}/usage`;
  const data = { sku: "m/input-tokens", quantity: 1 };
  const attributes = { specversion: "1.0", type: "usage", id: "1", source: "/a%20b", subject: 'Z\u00fcrich "1"' };
  const names = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encodeURIComponent(value)]);
  const headers = { ...operator, ...Object.fromEntries(names), "ce-time": '"2026-03-10T12:00:00Z"' };
  const time = "2026-03-10T12:00:00Z";
  assert.equal((await ask("POST", path, { headers, body: data })).status, 200);
  assert.deepEqual(told, [{ ...attributes, time, data }]);
  // What says that it is a whole event is one, whatever a proxy has put before it.
  const whole = { ...attributes, time, id: "2", data };
  const structured = { ...headers, "content-type": "application/cloudevents+json; charset=utf-8" };
  assert.equal((await ask("POST", path, { headers: structured, body: whole })).status, 200);
  assert.deepEqual(told[1], whole);
  const broken = await ask("POST", path, { headers: { ...headers, "ce-subject": "%zz" }, body: data });
  assert.equal(broken.status, 400);
  assert.match(broken.text, /"param":"ce-subject"/);
});
