import assert from "node:assert/strict";
import { test } from "node:test";
import { generateSynthetic } from "./synthetic.ts";
import { mean, near } from "./testing.ts";
import type { Workload, WorkloadRequest } from "./workload.ts";

function generate(text: string, minutes = 60, seed = 1): Workload {
  return generateSynthetic(text, { seed, minutes });
}

function of(model: string, { requests }: Workload): readonly WorkloadRequest[] {
  return requests.filter((request) => request.model === model);
}

function countByModel({ requests }: Workload): readonly number[] {
  const counts = Map.groupBy(requests, ({ model }) => model);
  return [...counts.keys()].sort().map((model) => counts.get(model)!.length);
}

test("the same seed gives the same requests, another seed others", () => {
  for (const text of ["8x0.1", "8x0.1,arrivals=weibull,cv=2", "8x0.1,on=60,off=240,lengths=lognormal"]) {
    assert.deepEqual(generate(text), generate(text));
    assert.notDeepEqual(generate(text, 60, 2).requests, generate(text).requests);
  }
});

test("requests are in order of time, within the duration, one token at least each way", () => {
  const { name, requests } = generate("48x0.1,arrivals=gamma,cv=2,input=0.01,output=0.01", 30);
  assert.equal(name, "synthetic:48x0.1,arrivals=gamma,cv=2,input=0.01,output=0.01");
  assert.ok(requests.every(({ atMs }, index) => index === 0 || requests[index - 1]!.atMs <= atMs));
  assert.ok(requests.every(({ atMs }) => atMs >= 0 && atMs < 30 * 60_000));
  assert.ok(requests.every(({ inputTokens, outputTokens }) => inputTokens >= 1 && outputTokens >= 1));
  near(requests.length, 48 * 0.1 * 30 * 60, 0.05);
});

test("more models, more minutes, other lengths: what was there stays", () => {
  const eight = generate("8x0.1,arrivals=gamma,cv=2");
  const three = generate("3x0.1,arrivals=gamma,cv=2");
  const hundred = generate("100x0.1,arrivals=gamma,cv=2");
  for (const model of ["model-01", "model-03"]) assert.deepEqual(of(model, three), of(model, eight));
  for (const model of ["model-01", "model-08"]) assert.deepEqual(of(model, hundred), of(model, eight));
  const longer = generate("8x0.1,arrivals=gamma,cv=2", 120);
  assert.deepEqual(longer.requests.slice(0, eight.requests.length), eight.requests);
  const other = generate("8x0.1,arrivals=gamma,cv=2,lengths=lognormal,input=2");
  const times = ({ requests }: Workload) => requests.map(({ atMs, model }) => ({ atMs, model }));
  assert.deepEqual(times(other), times(eight));
});

test("two models have nothing in common", () => {
  const workload = generate("2x1");
  const [first, second] = [of("model-01", workload), of("model-02", workload)];
  assert.notEqual(first[0]!.atMs, second[0]!.atMs);
  const inputs = first.map(({ inputTokens }, index) => [inputTokens, second[index]?.inputTokens ?? 0] as const);
  const [a, b] = [mean(inputs.map(([x]) => x)), mean(inputs.map(([, y]) => y))];
  const spread = (at: 0 | 1, middle: number) => Math.sqrt(mean(inputs.map((pair) => (pair[at] - middle) ** 2)));
  const covariance = mean(inputs.map(([x, y]) => (x - a) * (y - b)));
  // Its standard deviation is 1 / sqrt(3,600) = 0.017.
  assert.ok(Math.abs(covariance / (spread(0, a) * spread(1, b))) < 0.06);
});

test("zipf skews the rates and leaves their sum", () => {
  const counts = countByModel(generate("4x1,zipf=1", 600));
  const total = counts.reduce((sum, count) => sum + count, 0);
  near(total, 4 * 600 * 60, 0.02);
  for (const [index, count] of counts.entries()) near(counts[0]! / count, index + 1, 0.05);
  for (const count of countByModel(generate("4x1", 600))) near(count, 600 * 60, 0.03);
});

test("each model has its own tenant, or all share so many in turn", () => {
  const own = generate("3x1", 5);
  assert.deepEqual(new Set(own.requests.map(({ tenant, model }) => `${model} ${tenant}`)).size, 3);
  const shared = generate("3x1,tenants=4", 5);
  const turns = (model: string) =>
    of(model, shared)
      .slice(0, 5)
      .map(({ tenant }) => tenant);
  assert.deepEqual(turns("model-01"), ["tenant-01", "tenant-02", "tenant-03", "tenant-04", "tenant-01"]);
  assert.deepEqual(turns("model-02"), ["tenant-02", "tenant-03", "tenant-04", "tenant-01", "tenant-02"]);
});

test("too many requests and impossible durations are refused before anything is drawn", () => {
  assert.throws(() => generate("1000x1000", 60), { name: "WorkloadError", message: /about 3,600,000,000 requests/ });
  for (const minutes of [0, -1, Number.NaN, 100_000]) {
    assert.throws(() => generate("1x1", minutes), { name: "WorkloadError", message: /minutes: give a number above 0/ });
  }
});

test("the notes tell what was assumed", () => {
  const notes = generate("2x0.1,on=60,off=240", 10).notes.join("\n");
  assert.match(notes, /2 models with 0.1 requests\/s each, for 10 minutes by seed 1/);
  assert.match(notes, /on for 60 s and off for 240 s in the mean; while on Poisson arrivals, 0.5 requests\/s/);
  assert.match(notes, /lengths as in Aegaeon's synthetic trace/);
  assert.match(notes, /each model has one tenant of its own/);
});
