/**
 * The engine without Bailiwick, as the measure for it: node-llama-cpp in a process of its own, with the settings that
 * the host gives it and the library's own batching. Started with its settings as JSON; prints a line when the model is
 * loaded, then answers each line (prompts, tokens) with one.
 */
import { createInterface } from "node:readline";
import { getLlama, LlamaLogLevel, type LlamaContextSequence, type LlamaModel } from "node-llama-cpp";
import type { Child } from "./children.ts";

export interface AloneSettings {
  readonly modelPath: string;
  readonly threads: number;
  readonly sequences: number;
  readonly contextTokens: number;
}

export interface Batch {
  /** Answered at once, each by a sequence of its own. */
  readonly prompts: readonly string[];
  /** Most tokens of each answer. */
  readonly tokens: number;
}

export interface BatchResult {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly elapsedMs: number;
}

export async function answerAlone(engine: Child, batch: Batch): Promise<BatchResult> {
  engine.writeLine(JSON.stringify(batch));
  return JSON.parse(await engine.nextLine()) as BatchResult;
}

async function answer(model: LlamaModel, sequence: LlamaContextSequence, prompt: string, tokens: number) {
  await sequence.clearHistory();
  const { bos, shouldPrependBosToken } = model.tokens;
  const text = model.tokenize(prompt, false);
  const input = shouldPrependBosToken && bos !== null ? [bos, ...text] : text;
  let outputTokens = 0;
  for await (const token of sequence.evaluate(input, { temperature: 0, yieldEogToken: true })) {
    outputTokens += 1;
    if (model.isEogToken(token) || outputTokens >= tokens) break;
  }
  return { inputTokens: input.length, outputTokens };
}

async function serve({ modelPath, threads, sequences, contextTokens }: AloneSettings): Promise<void> {
  const llama = await getLlama({
    build: "never",
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
    skipDownload: true,
  });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({
    sequences,
    threads,
    contextSize: contextTokens,
    flashAttention: model.flashAttentionSupported ? true : "auto",
  });
  const slots = Array.from({ length: sequences }, () => context.getSequence());
  process.stdout.write(`${JSON.stringify({ gpu: llama.gpu })}\n`);
  for await (const line of createInterface({ input: process.stdin })) {
    const { prompts, tokens } = JSON.parse(line) as Batch;
    const startMs = performance.now();
    const answers = await Promise.all(prompts.map((prompt, index) => answer(model, slots[index]!, prompt, tokens)));
    const result: BatchResult = {
      inputTokens: answers.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
      outputTokens: answers.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
      elapsedMs: performance.now() - startMs,
    };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  process.exit(0);
}

if (import.meta.main) await serve(JSON.parse(process.argv[2] ?? "") as AloneSettings);
