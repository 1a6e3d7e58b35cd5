import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { control } from "./asking.ts";
import { type RunningCloud, startCloud } from "./cloud.ts";

let cloud: RunningCloud;

before(async () => {
  cloud = await startCloud({ arguments: ["--engine", "fake"] });
  await control(cloud, "POST", "/organisations", { name: "clinic" });
  await control(cloud, "POST", "/projects", { organisation: "clinic", name: "ward" });
  await control(cloud, "POST", "/organisations", { name: "rival" });
  await control(cloud, "POST", "/projects", { organisation: "rival", name: "shop" });
});

after(async () => {
  await cloud.stop();
});

interface Answer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

/** The control API with somebody's own secret. */
async function as(secret: string, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${cloud.url}/control/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

interface Entry {
  readonly action: string;
  readonly actor: { readonly name: string };
  readonly organisation: string | null;
  readonly project: string | null;
}

async function keyFor(project: string, permissions: readonly string[], reach = "project"): Promise<string> {
  const body = { project, permissions, reach };
  return (await control<{ key: string }>(cloud, "POST", "/keys", body)).key;
}

test("who changed what is known by name, whole, and each tenant reads what concerns it and nothing else", async () => {
  const kim = await cloud.command<{ token: string }>("operator", "add", "kim", "--country", "DE");
  assert.equal((await as(kim.token, "PATCH", "/projects/ward", { weight: 7 })).status, 200);
  const [newest] = await cloud.command<Entry[]>("audit", "--action", "updateProject");
  assert.equal(newest?.actor.name, "kim");
  const checked = await cloud.command<{ whole: boolean; entries: number }>("audit", "--check");
  assert.ok(checked.whole && checked.entries > 8);
  const auditor = await keyFor("ward", ["audit"]);
  const rival = await keyFor("shop", ["audit"], "organisation");
  const seen = async (secret: string, query = "") => {
    const answer = await as(secret, "GET", `/audit${query}`);
    return { status: answer.status, items: (answer.json["items"] ?? []) as Entry[] };
  };
  const own = await seen(auditor);
  assert.ok(own.items.some(({ action, actor }) => action === "updateProject" && actor.name === "kim"));
  const ward = (await control<{ id: string }>(cloud, "GET", "/projects/ward")).id;
  assert.ok(own.items.every(({ project }) => project === ward));
  const theirs = await seen(rival);
  assert.ok(theirs.items.length >= 3);
  assert.ok(theirs.items.every(({ organisation }) => organisation === theirs.items[0]?.organisation));
  for (const query of ["?project=ward", "?organisation=clinic", "?project=clinic/ward", "?project=nothing"]) {
    assert.equal((await seen(rival, query)).status, 404, query);
  }
  // A key that asks models reads no log, one that reads the log asks no models, and neither changes anything.
  const plain = await keyFor("ward", ["use"]);
  assert.equal((await as(plain, "GET", "/audit")).status, 403);
  assert.equal((await as(auditor, "PATCH", "/projects/ward", { weight: 9 })).status, 403);
  const asked = await fetch(`${cloud.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${auditor}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "fake", messages: [{ role: "user", content: "x" }] }),
  });
  assert.equal(asked.status, 403);
  await cloud.command("operator", "revoke", "kim");
  assert.equal((await as(kim.token, "GET", "/projects")).status, 403);
});
