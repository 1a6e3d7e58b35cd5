import { totalmem } from "node:os";
import {
  getLlama,
  getModuleVersion,
  GgufInsights,
  InsufficientMemoryError,
  type Llama,
  LlamaLogLevel,
  type LlamaModel,
  readGgufFileInfo,
} from "node-llama-cpp";
import { refuse, RefusalError } from "../../base/index.ts";
import type { Engine, EngineFactory, ModelFile, ModelSize } from "../types.ts";
import type { LlamaCppNeeds } from "./needs.ts";
import { LlamaCppModel } from "./model.ts";
import type { RoundLimits } from "./rounds.ts";
import { TemplateCheck } from "./template-check.ts";

type Settings = Parameters<EngineFactory["open"]>[0];

/**
 * Rows of one sequence in one pass that llama.cpp's flash attention computes one by one. From 64 on it computes them in
 * tiles, with other roundings: an answer would then depend on how its prompt was cut, and so on its company.
 */
const rowsAlike = 63;

/** A decoding answer waits for the prompt slice beside it: this part of a full slice. */
const sliceBesideDecoding = 1 / 4;

export async function openEngine(settings: Settings, needs: LlamaCppNeeds): Promise<Engine> {
  const complaints: string[] = [];
  const llama = await getLlama({
    build: "never",
    gpu: settings.gpu === "off" ? false : settings.gpu,
    maxThreads: settings.threads,
    logLevel: LlamaLogLevel.error,
    logger: (_, message) => void complaints.splice(0, complaints.length, message.trim()),
    skipDownload: true,
    progressLogs: false,
  });
  const device = llama.gpu === false ? "cpu" : ((await llama.getGpuDeviceNames())[0] ?? llama.gpu);
  const models = new Set<LlamaCppModel>();
  const memoryBytes = settings.memoryBytes ?? (await memoryOf(llama));
  const templates = new TemplateCheck(needs.clock);
  let hasFailed = false;
  return {
    name: "llamacpp",
    build: await buildOf(llama),
    device,
    // Both are done by the one thread that this process has for what is not JavaScript.
    loadsAlone: true,
    memoryBytes,
    sizeOf: (file) => sizeOf(file, llama, settings),
    async load(file) {
      let weights: LlamaModel;
      try {
        weights = await llama.loadModel({ modelPath: file.path });
      } catch (error) {
        hasFailed = true;
        throw error instanceof InsufficientMemoryError ? error : invalid(file, error, complaints);
      }
      const model = await serve(weights, file, settings, { ...needs, templates });
      models.add(model);
      model.onUnload = () => models.delete(model);
      return model;
    },
    async close() {
      await Promise.all([...models].map((model) => model.unload()));
      models.clear();
      // After a load that failed natively the library waits for ever here; what is left ends with the process.
      if (!hasFailed) await llama.dispose();
    },
  };
}

/** What models may take where nobody says it: of an accelerator's memory, and of a machine's that has other things to do. */
const acceleratorShare = 0.9;
const machineShare = 0.5;

async function memoryOf(llama: Llama): Promise<number> {
  if (llama.gpu === false) return Math.floor(totalmem() * machineShare);
  return Math.floor((await llama.getVramState()).total * acceleratorShare);
}

/** The context is reserved whole when the model is loaded, for every sequence, so that a token takes nothing more. */
async function sizeOf(file: ModelFile, llama: Llama, settings: Settings): Promise<ModelSize> {
  const info = await readGgufFileInfo(file.path);
  const insights = await GgufInsights.from(info, llama);
  const gpuLayers = llama.gpu === false ? 0 : insights.totalLayers;
  const { sequences } = settings;
  const model = await insights.estimateModelResourceRequirementsV2({ gpuLayers });
  const context = await insights.estimateContextResourceRequirementsV2({
    contextSize: file.contextTokens,
    modelGpuLayers: gpuLayers,
    batchSize: roundLimitsOf(settings.prefillSliceTokens).promptTokens + sequences,
    sequences,
    flashAttention: insights.flashAttentionSupported,
  });
  const memory = llama.gpu === false ? "cpuRam" : "gpuVram";
  return {
    loadedBytes: model[memory] + context[memory],
    kvBytesPerToken: 0,
    weightsBytes: insights.modelSize,
    parameters: insights.totalParameters,
    layers: insights.totalLayers,
    chats: (info.metadata.tokenizer.chat_template ?? "").trim() !== "",
    contextTokens: Math.min(file.contextTokens, insights.trainContextSize ?? file.contextTokens),
  };
}

/** The library says that it failed, llama.cpp's last line why. */
function invalid(file: ModelFile, error: unknown, complaints: readonly string[]): RefusalError {
  const reasons = [error instanceof Error ? error.message : String(error), ...complaints].join(": ");
  return new RefusalError(refuse("model_invalid", `The model ${file.name} cannot be loaded: ${reasons}`));
}

async function buildOf(llama: Llama): Promise<string> {
  const { release } = llama.llamaCppRelease;
  return `node-llama-cpp ${await getModuleVersion()} (llama.cpp ${release}, ${llama.gpu === false ? "cpu" : llama.gpu})`;
}

async function serve(
  weights: LlamaModel,
  file: ModelFile,
  settings: Settings,
  needs: LlamaCppNeeds & { readonly templates: TemplateCheck },
): Promise<LlamaCppModel> {
  const { sequences, threads } = settings;
  const roundLimits = roundLimitsOf(settings.prefillSliceTokens);
  try {
    await needs.templates.check(weights.fileInfo.metadata.tokenizer.chat_template);
    const context = await weights.createContext({
      sequences,
      contextSize: file.contextTokens,
      threads,
      batchSize: roundLimits.promptTokens + sequences,
      // See `rowsAlike`: without it the roundings differ from two rows on.
      flashAttention: weights.flashAttentionSupported ? true : "auto",
    });
    return new LlamaCppModel(file, weights, context, { sequences, roundLimits, entropy: needs.entropy });
  } catch (error) {
    await weights.dispose();
    throw error;
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
