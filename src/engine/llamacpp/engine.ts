import { getLlama, getModuleVersion, type Llama, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";
import { refuse, RefusalError } from "../../base/index.ts";
import type { Engine, EngineFactory, LoadedModel, ModelFile } from "../types.ts";
import type { LlamaCppNeeds } from "./index.ts";
import { LlamaCppModel } from "./model.ts";
import type { RoundLimits } from "./rounds.ts";
import { checkTemplate } from "./template-check.ts";

type Settings = Parameters<EngineFactory["open"]>[0];

/**
 * Rows of one sequence in one pass that llama.cpp's flash attention computes one by one. From 64 on it computes them in
 * tiles, with other roundings: an answer would then depend on how its prompt was cut, and so on its company.
 */
const rowsAlike = 63;

/** A decoding answer waits for the prompt slice beside it: this part of a full slice. */
const sliceBesideDecoding = 1 / 4;

export async function openEngine(settings: Settings, needs: LlamaCppNeeds): Promise<Engine> {
  const llama = await getLlama({
    build: "never",
    gpu: settings.gpu === "off" ? false : settings.gpu,
    maxThreads: settings.threads,
    logLevel: LlamaLogLevel.error,
    skipDownload: true,
    progressLogs: false,
  });
  const device = llama.gpu === false ? "cpu" : ((await llama.getGpuDeviceNames())[0] ?? llama.gpu);
  const models = new Set<LoadedModel>();
  return {
    name: "llamacpp",
    build: await buildOf(llama),
    device,
    async load(file) {
      const model = await load(llama, file, settings, needs);
      models.add(model);
      return model;
    },
    async close() {
      await Promise.all([...models].map((model) => model.unload()));
      models.clear();
      await llama.dispose();
    },
  };
}

async function buildOf(llama: Llama): Promise<string> {
  const { release } = llama.llamaCppRelease;
  return `node-llama-cpp ${await getModuleVersion()} (llama.cpp ${release}, ${llama.gpu === false ? "cpu" : llama.gpu})`;
}

async function load(llama: Llama, file: ModelFile, settings: Settings, needs: LlamaCppNeeds): Promise<LoadedModel> {
  const { sequences, threads } = settings;
  const roundLimits = roundLimitsOf(settings.prefillSliceTokens);
  const model = await loadWeights(llama, file);
  try {
    await checkTemplate(model.fileInfo.metadata.tokenizer.chat_template, needs.clock);
    const context = await model.createContext({
      sequences,
      contextSize: file.contextTokens,
      threads,
      batchSize: roundLimits.promptTokens + sequences,
      // See `rowsAlike`: without it the roundings differ from two rows on.
      flashAttention: model.flashAttentionSupported ? true : "auto",
    });
    return new LlamaCppModel(file, model, context, { sequences, roundLimits, randomBytes: needs.randomBytes });
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

async function loadWeights(llama: Llama, file: ModelFile): Promise<LlamaModel> {
  try {
    return await llama.loadModel({ modelPath: file.path });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusalError(refuse("model_invalid", `The file of the model ${file.name} cannot be loaded: ${reason}`));
  }
}

function roundLimitsOf(prefillSliceTokens: number): RoundLimits {
  const promptTokens = Math.max(1, prefillSliceTokens);
  return {
    promptTokens,
    promptTokensBesideDecoding: Math.max(1, Math.floor(promptTokens * sliceBesideDecoding)),
    promptTokensOfOne: rowsAlike,
  };
}
