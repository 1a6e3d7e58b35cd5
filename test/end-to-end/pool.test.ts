import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { testModel } from "../models.ts";
import { ask, control, errorIn, eventsOf, isDone, makeKey, metric, usageOf } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

/** Four models of the real engine on a budget that holds two, one of them pinned: `up` as an operator runs it. */
const folder = temporaryFolder();
const names = ["pinned", "b", "c", "d"];
let cloud: RunningCloud;
let key: string;

interface Shown {
  readonly hosts: readonly {
    readonly name: string;
    readonly pool: {
      readonly device: { readonly memoryBytes: number; readonly usedBytes: number };
      readonly models: readonly { readonly name: string; readonly state: string; readonly isPinned: boolean }[];
      readonly totals: { readonly loads: number; readonly failedLoads: number; readonly evictions: number };
    } | null;
  }[];
}

before(async () => {
  const { path } = await testModel();
  const entries = names.map((name) => ({
    name,
    family: "SmolLM2",
    developer: { name: "Hugging Face" },
    licence: { spdx: "Apache-2.0" },
    contextTokens: 2_048,
    sources: [`file:${path}`],
  }));
  cloud = await startCloud({
    data: join(folder.path, "data"),
    settings: JSON.stringify({
      site: { jurisdiction: "DE" },
      engine: { threads: 1, gpu: "off", sequences: 2, contextTokens: 512, memoryBytes: 300_000_000 },
      models: { serve: names, entries, resident: [{ name: "pinned", pin: true }] },
      limits: { queuedPerModel: 4 },
      // However slow the machine is: what could not be in time would be refused.
      tiers: { standard: { ttftMs: 3_600_000, tpotMs: 60_000 } },
    }),
  });
  key = await makeKey(cloud, "pool");
});
after(async () => {
  await cloud?.kill();
  folder.remove();
});

const answerOf = (model: string, more: object = {}) =>
  ask({ url: cloud.url, key, more: { model, max_tokens: 8, temperature: 0, ...more } });

async function shown() {
  const { hosts } = await cloud.command<Shown>("pool", "--json");
  return hosts[0]!.pool!;
}

/** What the gateway has heard is up to a second old. */
async function stateOf(name: string): Promise<string | undefined> {
  return (await shown()).models.find((model) => model.name === name)?.state;
}

test("each of the models answers, whichever are in memory; never more than the budget, and the pinned one stays", async () => {
  const texts = new Set<string>();
  for (const model of ["pinned", "b", "c", "d", "b"]) {
    const { status, text } = await answerOf(model);
    assert.equal(status, 200, text);
    texts.add((JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]!.message.content);
    await eventually("it is shown", async () => (await stateOf(model)) === "resident");
    const { device, models } = await shown();
    assert.ok(device.usedBytes <= device.memoryBytes, `${device.usedBytes} of ${device.memoryBytes}`);
    assert.equal(models.find(({ name }) => name === "pinned")!.state, "resident");
  }
  assert.equal(texts.size, 1, "the same weights give the same answer, from whichever copy");
  const { totals } = await shown();
  assert.ok(totals.loads >= 4 && totals.evictions >= 3, JSON.stringify(totals));
});

test("requests for all of them at once are all answered, and metered", async () => {
  const before = await usageOf(cloud, "pool");
  const answers = await Promise.all([...names, ...names].map((model) => answerOf(model, { stream: true })));
  for (const { status, text } of answers) {
    assert.equal(status, 200, text);
    assert.ok(isDone(text), text);
    assert.ok(eventsOf(text).length > 2);
  }
  const { requests, unrated } = await usageOf(cloud, "pool");
  assert.deepEqual([requests - before.requests, unrated], [8, 0]);
});

test("a project that keeps a model's queue full shuts no other out of it", async () => {
  for (const name of ["flood", "light"]) await control(cloud, "POST", "/projects", { organisation: "default", name });
  const flood = await makeKey(cloud, "flood", { project: "flood" });
  const light = await makeKey(cloud, "light", { project: "light" });
  const askOne = (key: string) => ask({ url: cloud.url, key, more: { model: "pinned", max_tokens: 16 } });
  const over = new AbortController();
  const floods = { refused: 0, answered: 0 };
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const seen = await askOne(flood);
      if (seen.status === 200) floods.answered++;
      else {
        assert.deepEqual([seen.status, errorIn(seen).code], [503, "overloaded"]);
        assert.ok(Number(seen.headers["retry-after"]) >= 1);
        floods.refused++;
        // Sooner than it is told to: the queue is full at every moment.
        await delay(20);
      }
    }
  };
  const clients = Promise.all(Array.from({ length: 16 }, client));
  try {
    await eventually("the queue is full", () => floods.refused > 20);
    for (let times = 1; times <= 4; times++) {
      const { status, text } = await askOne(light);
      assert.equal(status, 200, `the ${times}. time: ${text}`);
    }
  } finally {
    over.abort();
    await clients;
  }
  assert.ok(floods.answered > 0, JSON.stringify(floods));
});

/** Clients that ask one after the other with `service_tier: flex`, until `what` is done; what they were told, by code. */
async function besideFlex(apiKey: string, what: (told: ReadonlyMap<string, number>) => Promise<void>): Promise<void> {
  const over = new AbortController();
  const told = new Map<string, number>();
  const client = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const more = { model: "pinned", max_tokens: 200, service_tier: "flex" };
      const seen = await ask({ url: cloud.url, key: apiKey, more });
      const code = seen.status === 200 ? "answered" : errorIn(seen).code;
      told.set(code, (told.get(code) ?? 0) + 1);
      if (code !== "answered") await delay(50);
    }
  };
  const clients = Promise.all(Array.from({ length: 6 }, client));
  try {
    await eventually("places are taken", async () => (await metric(cloud, "bailiwick_pool_running_requests")) >= 1);
    await what(told);
  } finally {
    over.abort();
    await clients;
  }
}

test("a project's own flood of flex turns none of its other requests away", async () => {
  await besideFlex(key, async (told) => {
    for (let times = 1; times <= 4; times++) {
      const { status, text } = await answerOf("pinned");
      assert.equal(status, 200, `the ${times}. time: ${text}; flex: ${JSON.stringify([...told])}`);
    }
    await eventually("flex is answered, too", () => (told.get("answered") ?? 0) > 0);
  });
});

test("whoever has reserved the device has the places of flex answers at once, and these say why they ended", async () => {
  await control(cloud, "POST", "/projects", { organisation: "default", name: "gold" });
  const gold = await makeKey(cloud, "gold", { project: "gold" });
  const device = (await cloud.command<Shown>("pool")).hosts[0]!.name;
  const asked = ["reservation", "create", "--project", "gold", "--device", device, "--hours", "1"];
  const { id } = await cloud.command<{ id: string }>(...asked);
  try {
    await besideFlex(key, async (told) => {
      for (let times = 1; (told.get("preempted") ?? 0) === 0; times++) {
        assert.ok(times <= 60, `nobody gave way: ${JSON.stringify([...told])}`);
        // One place is left to whoever comes; two need both.
        const own = { url: cloud.url, key: gold, more: { model: "pinned", max_tokens: 16 } };
        for (const { status, text } of await Promise.all([ask(own), ask(own)]))
          assert.equal(status, 200, `the ${times}. time: ${text}`);
      }
    });
  } finally {
    await cloud.command("reservation", "end", id);
  }
});

test("what the pool does is in the metrics", async () => {
  assert.ok((await metric(cloud, "bailiwick_pool_loads_total")) >= 4);
  assert.equal(await metric(cloud, "bailiwick_pool_failed_loads_total"), 0);
});
