import { open } from "node:fs/promises";
import { type Refusal, RefusalError } from "../base/index.ts";
import { fileTypes } from "./ggml.ts";
import { type ByteSource, malformed } from "./gguf-cursor.ts";
import {
  type GgufHeader,
  type GgufLimits,
  ggufLimits,
  type GgufTensor,
  type GgufValue,
  readHeader,
} from "./gguf-header.ts";

/** What a model is, read from its file: nothing here was taken from a name or a catalogue. */
export interface ModelShape {
  readonly outcome: "read";
  readonly ggufVersion: 2 | 3;
  /** llama.cpp's name of it: "llama", "qwen3", "qwen3moe", "gemma3", ... */
  readonly architecture: string;
  readonly name: string | undefined;
  /** Tokens of context that the model was trained for. */
  readonly contextTokens: number;
  readonly layers: number;
  readonly embeddingLength: number;
  /** By layer; hybrid models have layers with none. */
  readonly heads: readonly number[];
  readonly keyValueHeads: readonly number[];
  readonly vocabularySize: number | undefined;
  /** Of a mixture of experts: how many each layer has, and how many a token uses. */
  readonly experts: { readonly count: number; readonly used: number } | undefined;
  /** What most weights are stored as: "Q4_K_M", "Q8_0", ...; undefined where the file does not say. */
  readonly quantisation: string | undefined;
  readonly parameters: number;
  /** Parameters that one token uses: fewer than all of them in a mixture of experts. */
  readonly activeParameters: number;
  readonly weightsBytes: number;
  readonly fileBytes: number;
  /**
   * Bytes of key and value cache that one token of context takes with 16-bit entries. An upper bound: sliding windows
   * and shared layers are not taken off. undefined for attention that caches something else (multi-head latent).
   */
  readonly keyValueBytesPerToken: number | undefined;
  readonly tokenizer: {
    readonly model: string | undefined;
    readonly beginToken: number | undefined;
    readonly endToken: number | undefined;
  };
  /** A program in Jinja, from whoever made the file: data until a sandboxed renderer runs it. */
  readonly chatTemplate: ChatTemplate;
}

export type ChatTemplate =
  | { readonly kind: "present"; readonly text: string }
  | { readonly kind: "absent" }
  /** Over the bound, so that it was not read; a chat with this model is not possible. */
  | { readonly kind: "oversized"; readonly bytes: number };

/** Reads a GGUF file's shape: header, metadata and tensor infos only. Refuses (`model_invalid`) what is malformed. */
export async function readGguf(path: string, limits: GgufLimits = ggufLimits): Promise<ModelShape | Refusal> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    return await readGgufFrom(
      {
        sizeBytes: size,
        read: async (into, position) => (await file.read(into, 0, into.length, position)).bytesRead,
      },
      limits,
    );
  } finally {
    await file.close();
  }
}

export async function readGgufFrom(source: ByteSource, limits: GgufLimits = ggufLimits): Promise<ModelShape | Refusal> {
  try {
    return shapeOf(await readHeader(source, limits));
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

function shapeOf(header: GgufHeader): ModelShape {
  const { metadata, tensors } = header;
  const splits = number(metadata.get("split.count"));
  if (splits !== undefined && splits > 1)
    malformed(`it is one of ${splits} files of a split model; use an unsplit one`);
  if (tensors.length === 0) malformed("it holds no tensors");
  const architecture = text(metadata.get("general.architecture"));
  if (architecture === undefined) malformed("general.architecture is missing");
  const field = (name: string) => metadata.get(`${architecture}.${name}`);
  const required = (name: string, most: number) =>
    whole(field(name), most) ??
    malformed(`${architecture}.${name} is missing or not a number from 1 to ${most}; it is no language model`);

  const layers = required("block_count", 4_096);
  const embeddingLength = required("embedding_length", 1_048_576);
  const heads = byLayer(field("attention.head_count"), layers) ?? Array.from({ length: layers }, () => 0);
  const experts = expertsOf(whole(field("expert_count"), 65_536), whole(field("expert_used_count"), 65_536));
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const keyValueHeads = byLayer(field("attention.head_count_kv"), layers) ?? heads;
  const parameters = sum(tensors.map((tensor) => tensor.elements));
  return {
    outcome: "read",
    ggufVersion: header.version,
    architecture,
    name: text(metadata.get("general.name")),
    contextTokens: required("context_length", 2 ** 31),
    layers,
    embeddingLength,
    heads,
    keyValueHeads,
    vocabularySize: whole(field("vocab_size"), 2 ** 31) ?? (tokens?.kind === "array" ? tokens.length : undefined),
    experts,
    quantisation: fileTypes.get(number(metadata.get("general.file_type")) ?? -1),
    parameters,
    activeParameters: activeOf(tensors, experts, parameters),
    weightsBytes: sum(tensors.map((tensor) => tensor.bytes)),
    fileBytes: header.fileBytes,
    keyValueBytesPerToken: keyValueBytes(field, heads, keyValueHeads, embeddingLength),
    tokenizer: {
      model: text(metadata.get("tokenizer.ggml.model")),
      beginToken: number(metadata.get("tokenizer.ggml.bos_token_id")),
      endToken: number(metadata.get("tokenizer.ggml.eos_token_id")),
    },
    chatTemplate: chatTemplateOf(metadata.get("tokenizer.chat_template")),
  };
}

function chatTemplateOf(value: GgufValue | undefined): ChatTemplate {
  if (value?.kind !== "string") return { kind: "absent" };
  return value.text === undefined ? { kind: "oversized", bytes: value.bytes } : { kind: "present", text: value.text };
}

const text = (value: GgufValue | undefined) => (value?.kind === "string" ? value.text : undefined);
const number = (value: GgufValue | undefined) => (value?.kind === "number" ? value.value : undefined);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function whole(value: GgufValue | undefined, most: number): number | undefined {
  const found = number(value);
  return found !== undefined && Number.isInteger(found) && found >= 1 && found <= most ? found : undefined;
}

const mostHeads = 65_536;

/** A count that is one number for all layers, or an array with one for each. */
function byLayer(value: GgufValue | undefined, layers: number): readonly number[] | undefined {
  const counts =
    value?.kind === "array" ? (value.numbers ?? []) : Array.from({ length: layers }, () => number(value) ?? -1);
  const valid =
    counts.length === layers && counts.every((item) => Number.isInteger(item) && item >= 0 && item <= mostHeads);
  if (value !== undefined && !valid) malformed("its head counts do not fit its layers");
  return valid ? counts : undefined;
}

function expertsOf(count: number | undefined, used: number | undefined): ModelShape["experts"] {
  if (count === undefined || used === undefined) return undefined;
  if (used > count) malformed(`it uses ${used} of ${count} experts`);
  return { count, used };
}

/** The experts' tensors hold all experts (`_exps` in llama.cpp's names); a token reads the share that it uses. */
function activeOf(tensors: readonly GgufTensor[], experts: ModelShape["experts"], parameters: number): number {
  if (experts === undefined) return parameters;
  const inExperts = sum(tensors.filter((tensor) => tensor.name.includes("_exps.")).map((tensor) => tensor.elements));
  return Math.round(parameters - inExperts + (inExperts * experts.used) / experts.count);
}

const cacheEntryBytes = 2;

/** Each layer caches, for each of its key-value heads, one key and one value vector a token. */
function keyValueBytes(
  field: (name: string) => GgufValue | undefined,
  heads: readonly number[],
  keyValueHeads: readonly number[],
  embeddingLength: number,
): number | undefined {
  if (field("attention.kv_lora_rank") !== undefined) return undefined;
  const mostQueryHeads = Math.max(...heads);
  const headLength = mostQueryHeads > 0 ? Math.floor(embeddingLength / mostQueryHeads) : undefined;
  const keyLength = whole(field("attention.key_length"), 1_048_576) ?? headLength;
  const valueLength = whole(field("attention.value_length"), 1_048_576) ?? headLength;
  if (keyLength === undefined || valueLength === undefined) return undefined;
  return sum(keyValueHeads) * (keyLength + valueLength) * cacheEntryBytes;
}
