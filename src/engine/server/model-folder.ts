import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse, RefusalError } from "../../base/index.ts";
import { membersOf } from "./control.ts";
import { turnTokens } from "./control-tokens.ts";
import type { ModelFacts } from "./size.ts";
import { countParameters } from "./safetensors.ts";

const configBytesMax = 4 << 20;
const tokenizerBytesMax = 128 << 20;

/** Reads what a model in the Hugging Face layout is like: a folder with config.json and safetensors. */
export async function readModelFolder(path: string): Promise<ModelFacts> {
  const names = await readdir(path);
  const weights = names.filter((name) => name.endsWith(".safetensors"));
  if (weights.length === 0) invalid(path, "it holds no .safetensors file");
  const config = await readJson(path, "config.json");
  const sizes = await Promise.all(weights.map(async (name) => (await stat(join(path, name))).size));
  const parameters = await Promise.all(weights.map((name) => countParameters(join(path, name))));
  return {
    weightsBytes: sum(sizes),
    parameters: sum(parameters),
    ...shapeOf(path, config),
    ...(await chatOf(path, names)),
  };
}

/**
 * Layers, and bytes of key and value cache for each token with 16-bit entries. An upper bound: sliding windows are not
 * taken off. Multi-head latent attention (DeepSeek) caches one compressed vector and its rotary part for each layer.
 */
function shapeOf(path: string, config: Members): Pick<ModelFacts, "layers" | "kvBytesPerToken"> {
  // Models that also see keep the language model's numbers apart.
  const text = "num_hidden_layers" in config ? config : membersOf(config["text_config"]);
  const layers = count(text["num_hidden_layers"]) ?? invalid(path, "its config.json names no num_hidden_layers");
  const latent = count(text["kv_lora_rank"]);
  if (latent !== undefined) {
    return { layers, kvBytesPerToken: layers * (latent + (count(text["qk_rope_head_dim"]) ?? 0)) * 2 };
  }
  const heads = count(text["num_attention_heads"]) ?? invalid(path, "its config.json names no num_attention_heads");
  const headSize = count(text["head_dim"]) ?? (count(text["hidden_size"]) ?? 0) / heads;
  const keyValueHeads = count(text["num_key_value_heads"]) ?? heads;
  return { layers, kvBytesPerToken: layers * keyValueHeads * headSize * 2 * 2 };
}

/** A template stands in a file of its own, or in the tokenizer's settings. */
async function chatOf(path: string, names: readonly string[]): Promise<Pick<ModelFacts, "chats" | "turnTokens">> {
  const optional = (name: string, bytesMax: number): Promise<string> =>
    names.includes(name) ? readText(path, name, bytesMax) : Promise.resolve("");
  const config = parsed(path, "tokenizer_config.json", await optional("tokenizer_config.json", configBytesMax));
  const own = await optional("chat_template.jinja", configBytesMax);
  const older = await optional("chat_template.json", configBytesMax);
  const template = own + older + JSON.stringify(config["chat_template"] ?? "");
  const tokenizer = parsed(path, "tokenizer.json", await optional("tokenizer.json", tokenizerBytesMax));
  return { chats: template !== '""', turnTokens: turnTokens(tokenizer, config, template) };
}

type Members = Readonly<Record<string, unknown>>;

async function readJson(path: string, name: string): Promise<Members> {
  return parsed(path, name, await readText(path, name, configBytesMax));
}

async function readText(path: string, name: string, bytesMax: number): Promise<string> {
  const { size } = await stat(join(path, name)).catch(() => invalid(path, `it holds no ${name}`));
  if (size > bytesMax) invalid(path, `its ${name} is too large`);
  return readFile(join(path, name), "utf8");
}

function parsed(path: string, name: string, text: string): Members {
  if (text === "") return {};
  try {
    return membersOf(JSON.parse(text));
  } catch (error) {
    return invalid(path, `its ${name} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function invalid(path: string, why: string): never {
  throw new RefusalError(refuse("model_invalid", `The model in ${path} cannot be used: ${why}.`));
}
