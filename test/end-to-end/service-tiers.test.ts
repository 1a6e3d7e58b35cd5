import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI from "openai";
import { ask, control, errorIn, makeKey } from "./asking.ts";
import { type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
let cloud: RunningCloud;

before(async () => {
  cloud = await startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake"] });
});

after(async () => {
  assert.equal(await cloud.stop(), 0);
  folder.remove();
});

/** The tiers of the journal's intents, by their requests. */
function journaled(): ReadonlyMap<string, string> {
  const journal = join(cloud.data, "journal");
  const segments = readdirSync(journal).filter((name) => name.endsWith(".journal"));
  const text = segments.map((name) => readFileSync(join(journal, name), "utf8")).join("\n");
  const intents = text.matchAll(/^[0-9a-f]{8} [0-9a-f]{8} I (req_\w+) (\{.*\})$/gm);
  return new Map([...intents].map(([, request, body]) => [request!, (JSON.parse(body!) as { tier: string }).tier]));
}

test("a request has the tier that its project and service_tier give it, and the journal says which", async () => {
  await control(cloud, "POST", "/projects", { organisation: "default", name: "ward", tier: "interactive" });
  await control(cloud, "POST", "/projects", { organisation: "default", name: "nightly", tier: "batch" });
  const expected = new Map<string, string>();
  for (const [project, asked, tier] of [
    ["default", undefined, "standard"],
    ["default", "priority", "standard"],
    ["default", "flex", "batch"],
    ["ward", "auto", "interactive"],
    ["ward", "priority", "interactive"],
    ["ward", "flex", "batch"],
    ["nightly", "default", "batch"],
    ["nightly", "priority", "batch"],
  ] as const) {
    const key = await makeKey(cloud, `${project}-${asked}`, { project });
    const seen = await ask({ url: cloud.url, key, more: asked === undefined ? {} : { service_tier: asked } });
    assert.equal(seen.status, 200, seen.text);
    expected.set(String(seen.headers["x-request-id"]), tier);
  }
  const found = journaled();
  for (const [request, tier] of expected) assert.equal(found.get(request), tier);
  const key = await makeKey(cloud, "completions");
  const more = { service_tier: "flex", messages: undefined, prompt: "Say hello." };
  assert.equal((await ask({ url: cloud.url, key, path: "/v1/completions", more })).status, 200);
  const wrong = await ask({ url: cloud.url, key, more: { service_tier: "scale" } });
  const { code, param } = errorIn(wrong);
  assert.deepEqual([wrong.status, code, param], [400, "invalid_request", "service_tier"]);
});

test("the answer says which tier served it, whole and streamed, where the request asked for one", async () => {
  const keys = { default: await makeKey(cloud, "said"), ward: await makeKey(cloud, "said", { project: "ward" }) };
  for (const [project, service_tier, said] of [
    ["default", undefined, undefined],
    ["default", null, undefined],
    ["default", "auto", "default"],
    ["default", "priority", "default"],
    ["default", "flex", "flex"],
    ["ward", "default", "priority"],
    ["ward", "flex", "flex"],
  ] as const) {
    const client = new OpenAI({ apiKey: keys[project], baseURL: `${cloud.url}/v1`, maxRetries: 0 });
    const more = service_tier === undefined ? {} : { service_tier };
    const asked = { model: "fake", messages: [{ role: "user" as const, content: "Say hello." }], ...more };
    const whole = await client.chat.completions.create(asked);
    assert.equal(whole.service_tier, said);
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) chunks.push(chunk);
    assert.ok(chunks.length > 2);
    for (const chunk of chunks) assert.equal(chunk.service_tier, said);
    assert.equal("service_tier" in chunks[0]!, said !== undefined);
  }
});

test("an operator's change of a project's tier holds for its next request", async () => {
  const key = await makeKey(cloud, "changing");
  const tierNow = async (): Promise<string | undefined> => {
    const seen = await ask({ url: cloud.url, key });
    return journaled().get(String(seen.headers["x-request-id"]));
  };
  assert.equal(await tierNow(), "standard");
  await control(cloud, "PATCH", "/projects/default", { tier: "batch" });
  assert.equal(await tierNow(), "batch");
  const back = await cloud.command<{ tier: string }>("project", "update", "default", "--tier", "standard");
  assert.equal(back.tier, "standard");
  assert.equal(await tierNow(), "standard");
});
