import { nearest } from "../../base/index.ts";
import type { ModelShape } from "./shape.ts";

const qwen = { developer: "Alibaba Cloud (Qwen team)", headSize: 128, isTied: false };
const meta = { developer: "Meta", headSize: 128, isTied: false };
const yi = { developer: "01.AI", headSize: 128, isTied: false, heads: 32, kvHeads: 4, hiddenSize: 4096 };
const baichuan = { developer: "Baichuan", headSize: 128, isTied: false };
const mistral = { developer: "Mistral AI", headSize: 128, isTied: false };

/**
 * Sizes as each model's published config.json has them, `parameters` as its weight files have them: a test counts the
 * sizes and compares, so neither can be wrong alone. Contexts are without YaRN, as in docs/reference/models.md. A
 * model's tunings (instruct, chat) have its shape.
 */
export const modelShapes: readonly ModelShape[] = [
  dense({
    ...qwen,
    id: "qwen2.5-7b",
    layers: 28,
    hiddenSize: 3584,
    heads: 28,
    kvHeads: 4,
    feedForwardSize: 18_944,
    vocabularySize: 152_064,
    parameters: 7_615_616_512,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen2.5-14b",
    layers: 48,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 8,
    feedForwardSize: 13_824,
    vocabularySize: 152_064,
    parameters: 14_770_033_664,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen2.5-32b",
    layers: 64,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 8,
    feedForwardSize: 27_648,
    vocabularySize: 152_064,
    parameters: 32_763_876_352,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen2.5-72b",
    layers: 80,
    hiddenSize: 8192,
    heads: 64,
    kvHeads: 8,
    feedForwardSize: 29_568,
    vocabularySize: 152_064,
    parameters: 72_706_203_648,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-0.6b",
    isTied: true,
    layers: 28,
    hiddenSize: 1024,
    heads: 16,
    kvHeads: 8,
    feedForwardSize: 3072,
    vocabularySize: 151_936,
    parameters: 596_049_920,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-1.7b",
    isTied: true,
    layers: 28,
    hiddenSize: 2048,
    heads: 16,
    kvHeads: 8,
    feedForwardSize: 6144,
    vocabularySize: 151_936,
    parameters: 1_720_574_976,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-4b",
    isTied: true,
    layers: 36,
    hiddenSize: 2560,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 9728,
    vocabularySize: 151_936,
    parameters: 4_022_468_096,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-8b",
    layers: 36,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 12_288,
    vocabularySize: 151_936,
    parameters: 8_190_735_360,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-14b",
    layers: 40,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 8,
    feedForwardSize: 17_408,
    vocabularySize: 151_936,
    parameters: 14_768_307_200,
    contextTokens: 32_768,
  }),
  dense({
    ...qwen,
    id: "qwen3-32b",
    layers: 64,
    hiddenSize: 5120,
    heads: 64,
    kvHeads: 8,
    feedForwardSize: 25_600,
    vocabularySize: 151_936,
    parameters: 32_762_123_264,
    contextTokens: 32_768,
  }),
  {
    ...qwen,
    id: "qwen3-30b-a3b",
    layers: 48,
    hiddenSize: 2048,
    heads: 32,
    kvHeads: 4,
    feedForwardSize: 768,
    vocabularySize: 151_936,
    experts: { count: 128, active: 8, sharedFeedForwardSize: 0 },
    parameters: 30_532_122_624,
    activeParameters: 3_352_821_760,
    contextTokens: 32_768,
  },
  {
    ...qwen,
    id: "qwen1.5-moe-a2.7b",
    layers: 24,
    hiddenSize: 2048,
    heads: 16,
    kvHeads: 16,
    feedForwardSize: 1408,
    vocabularySize: 151_936,
    experts: { count: 60, active: 4, sharedFeedForwardSize: 5632 },
    parameters: 14_315_784_192,
    activeParameters: 2_688_221_184,
    contextTokens: 8192,
  },
  dense({
    ...qwen,
    id: "qwen1.5-14b",
    layers: 40,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 40,
    feedForwardSize: 13_696,
    vocabularySize: 152_064,
    parameters: 14_167_290_880,
    contextTokens: 32_768,
  }),
  // Its config.json counts two of the three matrices in `intermediate_size`; so does the next one's.
  dense({
    ...qwen,
    id: "qwen-7b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 32,
    feedForwardSize: 11_008,
    vocabularySize: 151_936,
    parameters: 7_721_324_544,
    contextTokens: 8192,
  }),
  dense({
    ...qwen,
    id: "qwen-14b",
    layers: 40,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 40,
    feedForwardSize: 13_696,
    vocabularySize: 152_064,
    parameters: 14_167_290_880,
    contextTokens: 8192,
  }),
  dense({
    ...meta,
    id: "llama-7b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 32,
    feedForwardSize: 11_008,
    vocabularySize: 32_000,
    parameters: 6_738_415_616,
    contextTokens: 2048,
  }),
  dense({
    ...meta,
    id: "llama2-7b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 32,
    feedForwardSize: 11_008,
    vocabularySize: 32_000,
    parameters: 6_738_415_616,
    contextTokens: 4096,
  }),
  dense({
    ...meta,
    id: "llama2-13b",
    layers: 40,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 40,
    feedForwardSize: 13_824,
    vocabularySize: 32_000,
    parameters: 13_015_864_320,
    contextTokens: 4096,
  }),
  dense({
    ...meta,
    id: "llama3-8b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 14_336,
    vocabularySize: 128_256,
    parameters: 8_030_261_248,
    contextTokens: 8192,
  }),
  dense({
    ...meta,
    id: "llama3.1-8b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 14_336,
    vocabularySize: 128_256,
    parameters: 8_030_261_248,
    contextTokens: 131_072,
  }),
  dense({
    ...meta,
    id: "llama3.1-70b",
    layers: 80,
    hiddenSize: 8192,
    heads: 64,
    kvHeads: 8,
    feedForwardSize: 28_672,
    vocabularySize: 128_256,
    parameters: 70_553_706_496,
    contextTokens: 131_072,
  }),
  dense({
    ...yi,
    id: "yi-6b",
    layers: 32,
    feedForwardSize: 11_008,
    vocabularySize: 64_000,
    parameters: 6_061_035_520,
    contextTokens: 4096,
  }),
  // Yi 6B with sixteen of its layers again.
  dense({
    ...yi,
    id: "yi-9b",
    layers: 48,
    feedForwardSize: 11_008,
    vocabularySize: 64_000,
    parameters: 8_829_407_232,
    contextTokens: 4096,
  }),
  dense({
    ...baichuan,
    id: "baichuan-7b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 32,
    feedForwardSize: 11_008,
    vocabularySize: 64_000,
    parameters: 7_000_559_616,
    contextTokens: 4096,
  }),
  dense({
    ...baichuan,
    id: "baichuan2-13b",
    layers: 40,
    hiddenSize: 5120,
    heads: 40,
    kvHeads: 40,
    feedForwardSize: 13_696,
    vocabularySize: 125_696,
    parameters: 13_896_668_160,
    contextTokens: 4096,
  }),
  dense({
    developer: "Shanghai AI Laboratory",
    id: "internlm2.5-7b",
    headSize: 128,
    isTied: false,
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 14_336,
    vocabularySize: 92_544,
    parameters: 7_737_708_544,
    contextTokens: 32_768,
  }),
  {
    ...mistral,
    id: "mixtral-8x7b",
    layers: 32,
    hiddenSize: 4096,
    heads: 32,
    kvHeads: 8,
    feedForwardSize: 14_336,
    vocabularySize: 32_000,
    experts: { count: 8, active: 2, sharedFeedForwardSize: 0 },
    parameters: 46_702_792_704,
    activeParameters: 12_879_659_008,
    contextTokens: 32_768,
  },
  dense({
    developer: "Hugging Face",
    id: "smollm2-135m",
    isTied: true,
    layers: 30,
    hiddenSize: 576,
    heads: 9,
    kvHeads: 3,
    headSize: 64,
    feedForwardSize: 1536,
    vocabularySize: 49_152,
    parameters: 134_515_008,
    contextTokens: 8192,
  }),
];

function dense(shape: Omit<ModelShape, "activeParameters">): ModelShape {
  return { ...shape, activeParameters: shape.parameters };
}

export type ShapeFound =
  | { readonly known: true; readonly shape: ModelShape }
  /** With the id that was probably meant, where one is close. */
  | { readonly known: false; readonly nearest: string | undefined };

/** The shape of this model; upper and lower case are the same. */
export function findShape(id: string): ShapeFound {
  const wanted = id.toLowerCase();
  const shape = modelShapes.find((known) => known.id === wanted);
  if (shape !== undefined) return { known: true, shape };
  const ids = modelShapes.map((known) => known.id);
  return { known: false, nearest: nearest(id, ids) };
}

/** Whether two models take the same time and room: a model and its tunings do. */
export function sameSizes(one: ModelShape, other: ModelShape): boolean {
  return (
    one.layers === other.layers &&
    one.hiddenSize === other.hiddenSize &&
    one.heads === other.heads &&
    one.kvHeads === other.kvHeads &&
    one.headSize === other.headSize &&
    one.feedForwardSize === other.feedForwardSize &&
    one.vocabularySize === other.vocabularySize &&
    one.experts?.count === other.experts?.count &&
    one.experts?.active === other.experts?.active
  );
}
