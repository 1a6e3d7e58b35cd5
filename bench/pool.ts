/**
 * Many models on a device that holds a few: the pool beside what others do (LRU swap, FIFO swap), over the same real
 * engine, asked the same at the same moments, in turns. A request counts as met only if each of its tokens was there when it
 * was due. How much is asked and when it is due follow from what an answer takes here alone, so that a slow machine and a
 * quick one are asked the same question.
 */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "undici";
import type { Objective } from "../src/base/index.ts";
import type { HostPool, HostSettings } from "../src/host/index.ts";
import { arrivalTimesMs } from "./arrivals.ts";
import { type Child, start } from "./children.ts";
import { modelFileIn } from "./model-file.ts";
import { type Aim, type Bench, type BenchOptions, type Outcome, rounded } from "./report.ts";
import { distribution, median } from "./statistics.ts";

const policies = ["ours", "lru", "fifo"] as const;
type Policy = (typeof policies)[number];

export const poolBench: Bench = { name: "pool", targets: policies, run };

const modelCount = 6;
const contextTokens = 1_024;
const sequences = 4;
/** Room for two of them: each takes some 200 MB with its context. */
const memoryBytes = 500_000_000;
const answerTokens = 24;
/**
 * The device is one core, for whatever a host does: with two, models that compute side by side would have twice what one has that computes
 * alone, which no accelerator gives them.
 */
const onOneCore = ["--cpu-list", "0"];
/** Of a round each, as shares of what a device could answer that loads a model for every request. */
const loads = [0.8, 1.2, 1.6];
/** How much later than alone, with a load before it, a token may come. */
const patience = 5;

interface Plan {
  readonly loads: readonly number[];
  readonly durationMs: number;
}

/** What an answer takes where nobody else asks. */
interface Alone {
  /** Of a model that is to be loaded first: its first token, and its end. */
  readonly coldFirstMs: number;
  readonly coldMs: number;
  readonly tokenMs: number;
}

interface Asked {
  readonly atMs: number;
  readonly model: string;
  readonly prompt: string;
}

interface Answered {
  readonly firstMs: number | undefined;
  readonly tookMs: number;
  readonly isMet: boolean;
  readonly status: number;
}

interface Round {
  readonly load: number;
  readonly policy: Policy;
  readonly asked: number;
  readonly met: number;
  readonly refused: number;
  readonly failed: number;
  readonly firstTokensMs: readonly number[];
  readonly loads: number;
  readonly evictions: number;
}

async function run({ quick, only, dataFolder, progress }: BenchOptions): Promise<Outcome> {
  const plan: Plan = quick ? { loads: [1.2], durationMs: 20_000 } : { loads, durationMs: 60_000 };
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  try {
    const models = await copies(await modelFileIn(dataFolder), folder);
    const alone = await measureAlone(models, folder);
    const objective = objectiveBy(alone);
    progress(
      `alone: a cold answer takes ${Math.round(alone.coldMs)} ms, its first token ${Math.round(alone.coldFirstMs)} ms`,
    );
    const rounds: Round[] = [];
    for (const [round, load] of plan.loads.entries()) {
      const ratePerSecond = (load * 1_000) / alone.coldMs;
      const asked = traceOf(round, ratePerSecond / modelCount, plan.durationMs);
      // Whoever is first in one round is last in the next.
      for (const policy of rotated(policies, round).filter((each) => only?.includes(each) ?? true)) {
        const result = { load, ...(await playRound(policy, { asked, models, objective, folder })) };
        rounds.push(result);
        const { met, refused, loads } = result;
        progress(
          `${load} of what can be asked, ${policy}: ${met} of ${asked.length} met, ${refused} refused, ${loads} loads`,
        );
      }
    }
    return summarize(rounds, { ...plan, alone, objective });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Files of their own, so that each model is read for itself. */
async function copies(file: string, folder: string): Promise<HostSettings["models"]> {
  const names = Array.from({ length: modelCount }, (_, index) => `model-${index + 1}`);
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, `${name}.gguf`);
      await copyFile(file, path);
      return { name, path, sha256: name, contextTokens };
    }),
  );
}

/** One answer after the other, of models that are not there each time, and then of one that is. */
async function measureAlone(models: HostSettings["models"], folder: string): Promise<Alone> {
  const unhurried = { ttftMs: 60_000, tpotMs: 60_000 };
  return withHost("lru", { models, objective: unhurried, folder }, async (connection) => {
    const answered = async (index: number): Promise<{ firstMs: number; tookMs: number }> => {
      const asked = { atMs: 0, model: `model-${index}`, prompt: promptOf(0, index, 0) };
      const { firstMs, tookMs } = await ask(connection, asked, unhurried);
      if (firstMs === undefined) throw new Error(`${asked.model} gave no token`);
      return { firstMs, tookMs };
    };
    const cold = [];
    // The first two are there from the beginning; whoever comes later pushes out the one of longest ago.
    for (const index of [3, 4, 5, 6, 1, 2, 3]) cold.push(await answered(index));
    const warm = await answered(3);
    return {
      coldFirstMs: median(cold.map(({ firstMs }) => firstMs)),
      coldMs: median(cold.map(({ tookMs }) => tookMs)),
      tokenMs: (warm.tookMs - warm.firstMs) / (answerTokens - 1),
    };
  });
}

function objectiveBy({ coldFirstMs, tokenMs }: Alone): Objective {
  return { ttftMs: Math.round(patience * coldFirstMs), tpotMs: Math.round(patience * tokenMs) };
}

/** Each model is asked now and then, at moments that chance has made; who is asked in which order differs by round. */
function traceOf(round: number, ratePerModelSecond: number, durationMs: number): readonly Asked[] {
  const asked = Array.from({ length: modelCount }, (_, index) =>
    arrivalTimesMs({
      pattern: "poisson",
      ratePerSecond: ratePerModelSecond,
      durationMs,
      seed: round * 100 + index,
    }).map((atMs) => ({ atMs, model: `model-${index + 1}`, prompt: promptOf(round, index, atMs) })),
  ).flat();
  return asked.sort((a, b) => a.atMs - b.atMs);
}

function promptOf(round: number, index: number, atMs: number): string {
  return `${Math.round(atMs)} days ago, in the year ${1_000 + round * 100 + index}, a small town by the sea had a harbour, a market and a school. This is what its people did all day: they`;
}

function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  return items.map((_, index) => items[(index + by) % items.length]!);
}

interface Scene {
  readonly models: HostSettings["models"];
  readonly objective: Objective;
  readonly folder: string;
}

async function playRound(
  policy: Policy,
  { asked, ...scene }: Scene & { readonly asked: readonly Asked[] },
): Promise<Omit<Round, "load">> {
  return withHost(policy, scene, async (connection) => {
    const startedMs = performance.now();
    const answers = await Promise.all(
      asked.map(async (request) => {
        await delay(startedMs + request.atMs - performance.now());
        return ask(connection, request, scene.objective);
      }),
    );
    const { totals } = (await (
      await connection.request({ method: "GET", path: "/host/v1/pool" })
    ).body.json()) as HostPool;
    return {
      policy,
      asked: asked.length,
      met: answers.filter(({ isMet }) => isMet).length,
      refused: answers.filter(({ status }) => status === 503).length,
      failed: answers.filter(({ status }) => status !== 503 && status !== 200).length,
      firstTokensMs: answers.flatMap(({ firstMs }) => firstMs ?? []),
      loads: totals.loads,
      evictions: totals.evictions,
    };
  });
}

async function withHost<Result>(
  policy: Policy,
  scene: Scene,
  run: (connection: Pool) => Promise<Result>,
): Promise<Result> {
  const socketPath = join(scene.folder, "s");
  const host = await startHost(policy, scene, socketPath);
  const connection = new Pool("http://host", { socketPath, connections: 256 });
  try {
    return await run(connection);
  } finally {
    await connection.destroy();
    await host.stop(5_000);
  }
}

async function startHost(policy: Policy, { models, objective, folder }: Scene, socketPath: string): Promise<Child> {
  const settings: HostSettings = {
    host: "host_01HF7YAT000000000000000000",
    boot: "1",
    socketPath,
    folder: join(folder, `counts-${policy}`),
    engine: {
      kind: "llamacpp",
      threads: 1,
      sequences,
      gpu: "off",
      prefillSliceTokens: 64,
      memoryBytes,
      loadTimeoutMs: 60_000,
      fake: {},
    },
    models,
    objective,
    queuedPerModel: 1_000,
    bodyBytes: 1 << 20,
    leaseSeconds: 3_600,
    drainMs: 0,
    environment: {},
    threadPoolSize: "1",
  };
  const script = new URL("./pool-host.ts", import.meta.url).pathname;
  const args = [...onOneCore, process.execPath, script, policy];
  const child = start("taskset", args, { environment: { UV_THREADPOOL_SIZE: "1" } });
  child.writeLine(JSON.stringify(settings));
  await child.nextLine();
  return child;
}

/** Asks for a stream and looks at the clock at each of its tokens. */
async function ask(connection: Pool, { model, prompt }: Asked, objective: Objective): Promise<Answered> {
  const startedMs = performance.now();
  const response = await connection.request({
    method: "POST",
    path: "/v1/completions",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, prompt, max_tokens: answerTokens, temperature: 0, stream: true }),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let firstMs: number | undefined;
  let isMet = response.statusCode === 200;
  let tokens = 0;
  let text = "";
  for await (const part of response.body) {
    const sinceMs = performance.now() - startedMs;
    text += String(part);
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (!event.startsWith("data: {") || event.includes('"error"')) continue;
      firstMs ??= sinceMs;
      if (sinceMs > objective.ttftMs + tokens * objective.tpotMs) isMet = false;
      tokens++;
    }
  }
  const tookMs = performance.now() - startedMs;
  return { firstMs, tookMs, isMet: isMet && tokens > 0, status: response.statusCode };
}

interface Question extends Plan {
  readonly alone: Alone;
  readonly objective: Objective;
}

function summarize(rounds: readonly Round[], question: Question): Outcome {
  const of = (policy: Policy) => {
    const own = rounds.filter((each) => each.policy === policy);
    const sum = (value: (round: Round) => number): number => own.reduce((total, each) => total + value(each), 0);
    const first = own.flatMap(({ firstTokensMs }) => firstTokensMs);
    return {
      policy,
      attainmentStrict: sum(({ met }) => met) / sum(({ asked }) => asked),
      perRound: own.map(({ met, asked }) => rounded(met / asked)),
      firstTokenMs: first.length === 0 ? undefined : distribution(first),
      refused: sum(({ refused }) => refused),
      failed: sum(({ failed }) => failed),
      loads: sum(({ loads }) => loads),
      evictions: sum(({ evictions }) => evictions),
    };
  };
  const played = policies.filter((policy) => rounds.some((round) => round.policy === policy)).map(of);
  const ours = played.find(({ policy }) => policy === "ours");
  const aims = (["lru", "fifo"] as const).map((policy): Aim => {
    const theirs = played.find((each) => each.policy === policy);
    const isKnown = ours !== undefined && theirs !== undefined;
    return {
      name: `strict attainment, ours above ${policy} swap`,
      aim: `> ${theirs === undefined ? "(not measured)" : rounded(theirs.attainmentStrict)}`,
      value: ours === undefined ? null : rounded(ours.attainmentStrict),
      met: isKnown && ours.attainmentStrict > theirs.attainmentStrict,
    };
  });
  return {
    results: { ...question, modelCount, memoryBytes, contextTokens, sequences, answerTokens, played, rounds },
    aims,
    table: {
      columns: [
        "policy",
        "met strictly",
        question.loads.map((load) => `at ${load}`).join(" "),
        "TTFT p50 ms",
        "p99 ms",
        "refused",
        "failed",
        "loads",
      ],
      rows: played.map(({ policy, attainmentStrict, perRound, firstTokenMs, refused, failed, loads }) => [
        policy,
        `${(attainmentStrict * 100).toFixed(1)} %`,
        perRound.join(" "),
        String(Math.round(firstTokenMs?.p50 ?? Number.NaN)),
        String(Math.round(firstTokenMs?.p99 ?? Number.NaN)),
        String(refused),
        String(failed),
        String(loads),
      ]),
    },
    notes: [
      `${modelCount} models, room for two; first token within ${question.objective.ttftMs} ms, then one each ${question.objective.tpotMs} ms: ${patience} times what it takes alone.`,
      "Load 1 is what a device could answer that loads a model for every request; the device is one core (taskset).",
    ],
  };
}
