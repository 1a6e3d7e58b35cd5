import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTuning, Pool } from "../pool/index.ts";
import { prepare } from "./experiment.ts";
import { parseFleet, parseShapes } from "./fleet.ts";
import { parseObjective } from "./objective.ts";
import type { Outcome, SimulatedRequest } from "./outcome.ts";
import { simulate } from "./simulate.ts";
import { readWorkload } from "./workload/index.ts";

const minutes = 10;
/** Two devices hold ten of these models, and keep up with all of them at 0.1 request/s each. */
const models = 24;

async function overloaded(
  rate: number,
  how: { readonly weightOf?: (tenant: string) => number; readonly mix?: string } = {},
): Promise<readonly Outcome[]> {
  return played(`synthetic:${models}x${rate}${how.mix ?? ""}`, "2xH100", how.weightOf);
}

async function played(
  text: string,
  devices: string,
  weightOf?: (tenant: string) => number,
  lastMinutes = minutes,
  shapes = "qwen2.5-7b",
): Promise<readonly Outcome[]> {
  const { fleet, requests } = await prepared(text, devices, lastMinutes, "10s/100ms", shapes);
  const weighted = requests.map((request): SimulatedRequest => {
    const weight = weightOf?.(request.tenant);
    return weight === undefined ? request : { ...request, weight };
  });
  return simulate(fleet, new Pool(fleet, defaultTuning), weighted).outcomes;
}

async function prepared(
  text: string,
  devices: string,
  lastMinutes: number,
  objective = "10s/100ms",
  shapes = "qwen2.5-7b",
): Promise<ReturnType<typeof prepare>> {
  const workload = await readWorkload({ workload: text, seed: 1, minutes: lastMinutes });
  return prepare(
    {
      workloads: [workload],
      fleet: parseFleet(devices),
      shapes: parseShapes(shapes),
      objective: parseObjective(objective),
      linkGBps: 16,
    },
    workload,
  );
}

function met(outcomes: readonly Outcome[]): number {
  return outcomes.filter(({ isMet }) => isMet).length;
}

function metByTenant(outcomes: readonly Outcome[]): readonly (readonly [string, number])[] {
  return [...Map.groupBy(outcomes, ({ request }) => request.tenant)].map(([tenant, own]) => [tenant, met(own)]);
}

test("past capacity prompts of thousands of tokens make nobody late who has tokens, and what is taken is in time", async () => {
  for (const [workload, least] of [
    ["synthetic:1x3,input=20", 0.8],
    // Of these the KV has no room beside the weights of all.
    ["synthetic:4x1,input=10", 0.65],
  ] as const) {
    const outcomes = await played(workload, "1xH100");
    const taken = outcomes.filter(({ refusal }) => refusal === undefined);
    assert.ok(met(taken) > 0.9 * taken.length, `${met(taken)} of ${taken.length} that were taken`);
    assert.ok(met(taken) > least * outcomes.length, `${met(taken)} of ${outcomes.length}`);
  }
});

test("far past capacity goodput does not fall, and no tenant starves", async () => {
  const most = met(await overloaded(0.2));
  for (const rate of [0.4, 0.8]) {
    const outcomes = await overloaded(rate);
    assert.ok(met(outcomes) >= 0.9 * most, `${met(outcomes)} of ${most} at ${rate}`);
    const tenants = metByTenant(outcomes);
    assert.equal(tenants.length, models);
    const equalPart = met(outcomes) / models;
    for (const [tenant, own] of tenants) assert.ok(own >= 0.2 * equalPart, `${tenant}: ${own} of ${equalPart}`);
  }
});

test("where computing is what is short, goodput does not fall either", async () => {
  for (const [devices, enough, ...tooMuch] of [
    ["1xH100", "synthetic:1x20", "synthetic:1x40", "synthetic:1x80"],
    ["2xH100", "synthetic:16x0.9,tenants=8", "synthetic:16x1.4,tenants=8"],
  ] as const) {
    const most = met(await played(enough, devices, undefined, 2));
    for (const text of tooMuch) {
      const outcomes = await played(text, devices, undefined, 2);
      assert.ok(met(outcomes) >= 0.85 * most, `${text}: ${met(outcomes)} of ${most}`);
    }
  }
});

test("where no two models fit, goodput does not fall either: each stays long enough", async () => {
  for (const [devices, shapes, enough, ...tooMuch] of [
    ["1xH100", "qwen2.5-32b", "synthetic:2x0.6", "synthetic:2x1", "synthetic:2x2"],
    ["4xH100", "qwen2.5-32b", "synthetic:6x0.7", "synthetic:6x1", "synthetic:6x1.5"],
    ["1xA10", "qwen2.5-7b", "synthetic:2x0.5", "synthetic:2x1"],
  ] as const) {
    const most = met(await played(enough, devices, undefined, minutes, shapes));
    for (const text of tooMuch) {
      const outcomes = await played(text, devices, undefined, minutes, shapes);
      assert.ok(met(outcomes) >= 0.85 * most, `${text} on ${devices}: ${met(outcomes)} of ${most}`);
    }
  }
});

test("where few tenants ask for most, they do not push the others out, nor are they held back for nothing", async () => {
  const outcomes = await overloaded(0.4, { mix: ",zipf=1.1" });
  const asked = Map.groupBy(outcomes, ({ request }) => request.tenant);
  const equalPart = met(outcomes) / models;
  for (const [tenant, own] of metByTenant(outcomes)) {
    const fair = Math.min(asked.get(tenant)!.length, equalPart);
    assert.ok(own >= 0.15 * fair, `${tenant}: ${own} of ${fair}`);
  }
  assert.ok(met(outcomes) >= 0.6 * outcomes.length, `${met(outcomes)} of ${outcomes.length}`);
});

test("a tenant of weight 3 has more of what is scarce", async () => {
  const isHeavy = (tenant: string): boolean => Number(/\d+$/.exec(tenant)![0]) % 2 === 0;
  const outcomes = await overloaded(0.4, { weightOf: (tenant) => (isHeavy(tenant) ? 3 : 1) });
  const tenants = metByTenant(outcomes);
  const sum = (heavy: boolean): number =>
    tenants.filter(([tenant]) => isHeavy(tenant) === heavy).reduce((all, [, own]) => all + own, 0);
  const ratio = sum(true) / sum(false);
  assert.ok(ratio > 1.3, String(ratio));
});

/** As the engines of today are: KV goes with the weights, and so many sequences at once. */
async function servedByEngines(workload: string, sequencesMax: number): Promise<readonly Outcome[]> {
  const { fleet, requests } = await prepared(workload, "1xH100", minutes, "60s/250ms");
  const devices = fleet.devices.map((device) => ({ ...device, keepsKv: false }));
  const engines = { ...fleet, devices, models: fleet.models.map((model) => ({ ...model, sequencesMax })) };
  return simulate(engines, new Pool(engines, defaultTuning), requests).outcomes;
}

test("where engines run a few sequences at once, goodput does not fall past capacity", async () => {
  const most = met(await servedByEngines("synthetic:1x3", 8));
  for (const text of ["synthetic:1x6", "synthetic:1x8"]) {
    const outcomes = await servedByEngines(text, 8);
    assert.ok(met(outcomes) >= 0.9 * most, `${text}: ${met(outcomes)} of ${most}`);
  }
});

/** One tenant floods its model; of another's requests for another only one in so many seconds is left: what became of these. */
async function besideFlood(
  rate: number,
  everyMs: number,
  memoryBytes: number,
  {
    lastMinutes = minutes,
    keepsKv = true,
    tenantOf = ({ tenant }) => tenant,
  }: {
    readonly lastMinutes?: number;
    readonly keepsKv?: boolean;
    readonly tenantOf?: (request: SimulatedRequest, at: number) => string;
  } = {},
): Promise<readonly Outcome[]> {
  const { fleet, requests } = await prepared(`synthetic:2x${rate}`, "1xH100", lastMinutes);
  const flood = requests[0]!.model;
  let nextMs = 0;
  const left = requests.filter(({ atMs, model }) => {
    if (model === flood) return true;
    if (atMs < nextMs) return false;
    nextMs = atMs + everyMs;
    return true;
  });
  const devices = fleet.devices.map((device) => ({ ...device, memoryBytes, keepsKv }));
  const models = fleet.models.map((model) => (keepsKv ? model : { ...model, sequencesMax: 8 }));
  const small = { ...fleet, devices, models };
  const asked = left.map((request, at): SimulatedRequest => ({ ...request, tenant: tenantOf(request, at) }));
  const { outcomes } = simulate(small, new Pool(small, defaultTuning), asked);
  return outcomes.filter(({ request }) => request.model !== flood);
}

test("a tenant with few requests is served beside another's flood, where one model fits at a time and where both do", async () => {
  for (const [rate, memoryBytes] of [
    [25, 24e9],
    [80, 80e9],
  ] as const) {
    const few = await besideFlood(rate, 30_000, memoryBytes);
    const served = few.filter(({ refusal }) => refusal === undefined).length;
    assert.ok(served >= 0.8 * few.length, `${served} of ${few.length} at ${rate}/s`);
    assert.ok(met(few) >= 0.5 * few.length, `${met(few)} of ${few.length} in time at ${rate}/s`);
  }
});

const served = (outcomes: readonly Outcome[]): number =>
  outcomes.filter(({ firstTokenMs }) => firstTokenMs !== undefined).length;

test("it is served beside three, six and ten that flood alike, too", async () => {
  const flood = "model-01";
  for (const [floods, least] of [
    [3, 0.5],
    [6, 0.5],
    [10, 0.25],
  ] as const) {
    const few = await besideFlood(25, 100_000, 24e9, {
      lastMinutes: 30,
      tenantOf: ({ model }, at) => (model === flood ? `heavy-${at % floods}` : "few"),
    });
    assert.ok(served(few) >= least * few.length, `${served(few)} of ${few.length} beside ${floods}`);
  }
});

test("a long answer that is let in so keeps nobody out", async () => {
  const flood = "model-01";
  const long = ({ model }: SimulatedRequest): boolean => model !== flood;
  const { fleet, requests } = await prepared("synthetic:2x60", "1xH100", 5);
  let few = 0;
  const asked = requests
    .filter((request) => !long(request) || few++ % 5_000 === 0)
    .map((request) => (long(request) ? { ...request, outputTokens: 20_000, maxOutputTokens: 20_000 } : request));
  const goodput = (those: readonly SimulatedRequest[]): number =>
    met(simulate(fleet, new Pool(fleet, defaultTuning), those).outcomes.filter(({ request }) => !long(request)));
  const [alone, beside] = [goodput(asked.filter((request) => !long(request))), goodput(asked)];
  assert.ok(beside > 0.8 * alone, `${beside} of ${alone}`);
});

/** Its tier is batch, as the settings have it. */
const batch = { isPreemptible: true, objective: { ttftMs: 300_000, tpotMs: 2_000 } } as const;

test("what gives way turns nobody away, of the same tenant or of others, and is in time where it is taken", async () => {
  const flood = "model-01";
  for (const [rate, keepsKv, isSameModel] of [
    [6, false, true],
    [6, false, false],
    [40, true, true],
    [40, true, false],
  ] as const) {
    const { fleet, requests } = await prepared(`synthetic:2x${rate}`, "1xH100", 6);
    let few = 0;
    const asked = requests.flatMap((request): SimulatedRequest[] => {
      if (request.model === flood) return [{ ...request, ...batch, tenant: "one" }];
      if (few++ % (rate * 3) !== 0) return [];
      return [{ ...request, tenant: "one", model: isSameModel ? flood : request.model }];
    });
    const devices = fleet.devices.map((device) => ({ ...device, keepsKv }));
    const models = fleet.models.map((model) => (keepsKv ? model : { ...model, sequencesMax: 8 }));
    const engines = { ...fleet, devices, models };
    const { outcomes } = simulate(engines, new Pool(engines, defaultTuning), asked);
    const [firm, gives] = [false, true].map((isBatch) =>
      outcomes.filter(({ request }) => (request.isPreemptible === true) === isBatch),
    ) as [Outcome[], Outcome[]];
    const how = `${rate}/s, ${keepsKv ? "KV stays" : "engines"}, ${isSameModel ? "one model" : "two"}`;
    assert.ok(met(firm) >= 0.95 * firm.length, `${met(firm)} of ${firm.length}: ${how}`);
    assert.ok(met(gives) >= 0.85 * served(gives), `${met(gives)} of ${served(gives)} that gave way: ${how}`);
  }
});

test("it is served where it asks less often than the pool remembers, and where KV goes with the weights", async () => {
  const rare = await besideFlood(25, 1_000_000, 24e9, { lastMinutes: 90 });
  assert.ok(served(rare) >= 0.3 * rare.length, `${served(rare)} of ${rare.length}`);
  const few = await besideFlood(8, 60_000, 24e9, { lastMinutes: 30, keepsKv: false });
  assert.ok(served(few) >= 0.3 * few.length, `${served(few)} of ${few.length}`);
});

test("what waits for one model keeps no request of the same tenant from another that is there", async () => {
  const few = await besideFlood(40, 20_000, 80e9, { tenantOf: () => "one" });
  assert.ok(served(few) >= 0.5 * few.length, `${served(few)} of ${few.length}`);
});
