/**
 * Tokens per second of a real model through the gateway, against the same engine alone in the same run: short rounds in
 * turn, at 1 and at 8 concurrent requests. Prompts differ from round to round, so that no cache of one side helps it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { type Bailiwick, startBailiwick } from "./bailiwick.ts";
import { type Child, start } from "./children.ts";
import { type AloneSettings, answerAlone, type Batch, type BatchResult } from "./engine-alone.ts";
import { benchModel, modelFileIn, modelsFolderOf } from "./model-file.ts";
import { atLeast, type Bench, type BenchOptions, type Outcome, rounded } from "./report.ts";
import { median } from "./statistics.ts";

export const engineBench: Bench = { name: "engine", run };

const model = benchModel;
const concurrencies = [1, 8] as const;
const sequences = 8;
const contextTokens = 4096;

type Side = "alone" | "gateway";

interface MeasuredBatch extends BatchResult {
  readonly round: number;
  readonly side: Side;
  readonly concurrency: number;
  readonly tokensPerSecond: number;
}

async function run({ quick, dataFolder, progress }: BenchOptions): Promise<Outcome> {
  const plan = quick ? { rounds: 1, tokens: 16 } : { rounds: 7, tokens: 128 };
  const threads = Math.max(1, availableParallelism() - 1);
  const folder = await mkdtemp(join(tmpdir(), "bailiwick-bench-"));
  const children: Child[] = [];
  try {
    progress("starting bailiwick; the first time it pulls the model");
    const bailiwick = await startBailiwick({ folder, settings: settingsText(threads, dataFolder) });
    children.push(bailiwick.child);
    progress("starting the engine alone");
    const alone = await startAlone({ modelPath: await modelFileIn(dataFolder), threads, sequences, contextTokens });
    children.push(alone);
    const sides: Record<Side, (batch: Batch) => Promise<BatchResult>> = {
      alone: (batch) => answerAlone(alone, batch),
      gateway: (batch) => answerThroughGateway(bailiwick, batch),
    };
    const batches: MeasuredBatch[] = [];
    // Round 0 warms up and is not kept.
    for (let round = 0; round <= plan.rounds; round += 1) {
      for (const concurrency of concurrencies) {
        for (const side of round % 2 === 0 ? (["alone", "gateway"] as const) : (["gateway", "alone"] as const)) {
          const prompts = Array.from({ length: concurrency }, (_, index) => promptOf(round, concurrency + index));
          const result = await sides[side]({ prompts, tokens: round === 0 ? 4 : plan.tokens });
          if (round === 0) continue;
          const tokensPerSecond = (result.outputTokens * 1000) / result.elapsedMs;
          batches.push({ ...result, round, side, concurrency, tokensPerSecond });
          progress(`round ${round}/${plan.rounds} ${side} at ${concurrency}: ${tokensPerSecond.toFixed(1)} tokens/s`);
        }
      }
    }
    return summarize(batches, { ...plan, threads, sequences, contextTokens, model });
  } finally {
    await Promise.all(children.map((child) => child.stop(15_000)));
    await rm(folder, { recursive: true, force: true });
  }
}

/** About 30 tokens, another beginning each time. */
function promptOf(round: number, index: number): string {
  return `${(round * 7919 + index * 104_729) % 9973} years ago a small town by the sea had a harbour, a market and a school. This is what its people did all day: they`;
}

async function startAlone(settings: AloneSettings): Promise<Child> {
  const script = new URL("./engine-alone.ts", import.meta.url).pathname;
  // One thread in the pool, as in the host: with more, this version of the engine mixes sequences up.
  const child = start(process.execPath, [script, JSON.stringify(settings)], {
    environment: { UV_THREADPOOL_SIZE: "1" },
  });
  await child.nextLine();
  return child;
}

async function answerThroughGateway({ port, key }: Bailiwick, { prompts, tokens }: Batch): Promise<BatchResult> {
  const startMs = performance.now();
  const usages = await Promise.all(
    prompts.map((prompt) => ask(`http://127.0.0.1:${port}/v1/completions`, key, prompt, tokens)),
  );
  return {
    inputTokens: usages.reduce((sum, { prompt_tokens }) => sum + prompt_tokens, 0),
    outputTokens: usages.reduce((sum, { completion_tokens }) => sum + completion_tokens, 0),
    elapsedMs: performance.now() - startMs,
  };
}

interface OpenAiUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

/** A streamed answer's usage, which stands in the last event before "[DONE]". */
async function ask(url: string, key: string, prompt: string, tokens: number): Promise<OpenAiUsage> {
  const response = await request(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({
      model,
      prompt,
      max_tokens: tokens,
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  const events = (await response.body.text()).trimEnd().split("\n\n");
  if (response.statusCode !== 200 || events.pop() !== "data: [DONE]")
    throw new Error(`no whole answer: status ${response.statusCode}, ${events.join(" ").slice(-500)}`);
  const { usage } = JSON.parse(events.pop()?.slice("data: ".length) ?? "{}") as { usage?: OpenAiUsage };
  if (usage === undefined) throw new Error("the last event of a stream holds no usage");
  return usage;
}

function summarize(batches: readonly MeasuredBatch[], conditions: Readonly<Record<string, unknown>>): Outcome {
  const of = (side: Side, concurrency: number) =>
    batches.filter((batch) => batch.side === side && batch.concurrency === concurrency);
  const speed = (side: Side, concurrency: number) =>
    median(of(side, concurrency).map((batch) => batch.tokensPerSecond));
  const rows = concurrencies.map((concurrency) => {
    const alone = speed("alone", concurrency);
    const gateway = speed("gateway", concurrency);
    // The machine of one round, not of the run: the sides of a round ran within seconds of each other.
    const ratios = of("gateway", concurrency).map((batch) => {
      const other = of("alone", concurrency).find(({ round }) => round === batch.round);
      if (other === undefined) throw new Error(`round ${batch.round} has one side only`);
      return batch.tokensPerSecond / other.tokensPerSecond;
    });
    return { concurrency, alone, gateway, share: median(ratios) };
  });
  return {
    results: { conditions, medians: rows, batches },
    aims: rows.map(({ concurrency, share }) =>
      atLeast(
        `tokens/s through the gateway at ${concurrency} concurrent, as a share of the engine's alone`,
        share,
        0.95,
      ),
    ),
    table: {
      columns: ["concurrent", "alone tokens/s", "gateway tokens/s", "share"],
      rows: rows.map(({ concurrency, alone, gateway, share }) => [
        String(concurrency),
        alone.toFixed(1),
        gateway.toFixed(1),
        String(rounded(share)),
      ]),
    },
    notes: [],
  };
}

/** The models of a data folder, so that one that is there is not pulled again. */
function settingsText(threads: number, dataFolder: string): string {
  return [
    "engine:",
    `  threads: ${threads}`,
    `  sequences: ${sequences}`,
    `  contextTokens: ${contextTokens}`,
    "models:",
    `  serve: [${model}]`,
    `  folder: ${JSON.stringify(modelsFolderOf(dataFolder))}`,
    "",
  ].join("\n");
}
