import { type Refusal, RefusalError } from "../../base/index.ts";
import type { GenerateRequest, Sampling } from "../types.ts";
import {
  arrayAt,
  checkNames,
  invalid,
  isMembers,
  kindOf,
  type Members,
  optionalBoolean,
  optionalNumber,
  optionalString,
  stringAt,
  UnsupportedParameters,
} from "./fields.ts";
import { readMessages } from "./messages.ts";
import type { GenerationEndpoint } from "./parameters.ts";
import { readResponseFormat, readTools, readToolChoice } from "./tools.ts";

const maxChoicesPerPrompt = 8;
const maxPrompts = 32;
const maxStops = 4;
const maxStopCharacters = 1_024;
/** What OpenAI's completions generate where nothing is said. */
const completionTokens = 16;
const anyCount = Number.MAX_SAFE_INTEGER;

/** A request of one of the two endpoints, as an engine takes it; all that is missing is who asks and the signal. */
export interface ParsedRequest {
  readonly outcome: "parsed";
  readonly endpoint: GenerationEndpoint;
  readonly model: string;
  readonly prompts: readonly GenerateRequest["prompt"][];
  /** Each prompt is answered so many times; choice `i` belongs to prompt `floor(i / choicesPerPrompt)`. */
  readonly choicesPerPrompt: number;
  readonly generate: Omit<GenerateRequest, "tenant" | "prompt" | "signal">;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Whether it asked for a tier: then its answer says which one it had. */
  readonly asksServiceTier: boolean;
  /** Paths of what was asked for, is not supported and was left out (only under `warn`). */
  readonly ignored: readonly string[];
}

export interface ParseOptions {
  /** What becomes of a parameter that would change the answer and is not supported. */
  readonly unsupported: "refuse" | "warn";
}

/** Reads the body of `POST /v1/chat/completions`. Refuses with `invalid_request` or `unsupported_parameter`. */
export function parseChatRequest(json: unknown, options: ParseOptions): ParsedRequest | Refusal {
  return parse(json, "chat.completions", options, (body, unsupported) => {
    const tools = readTools(body, unsupported);
    const toolChoice = readToolChoice(body["tool_choice"], tools, unsupported);
    const wantsLogprobs = optionalBoolean(body, "logprobs") ?? false;
    const topLogprobs = optionalNumber(body, "top_logprobs", { min: 0, max: 20, integer: true });
    if (topLogprobs !== undefined && !wantsLogprobs) invalid("top_logprobs", "it needs `logprobs: true`.");
    return {
      prompts: [{ kind: "chat", messages: readMessages(body["messages"], unsupported) }],
      generate: {
        ...readGeneration(body, readMaxTokens(body)),
        tools,
        toolChoice,
        parallelToolCalls: optionalBoolean(body, "parallel_tool_calls") ?? true,
        responseFormat: readResponseFormat(body["response_format"]),
        topLogprobs: wantsLogprobs ? (topLogprobs ?? 0) : undefined,
      },
    };
  });
}

/** Reads the body of `POST /v1/completions`. Refuses with `invalid_request` or `unsupported_parameter`. */
export function parseCompletionRequest(json: unknown, options: ParseOptions): ParsedRequest | Refusal {
  return parse(json, "completions", options, (body) => ({
    prompts: readPrompts(body["prompt"]),
    generate: {
      ...readGeneration(body, readCount(body, "max_tokens") ?? completionTokens),
      tools: [],
      toolChoice: { kind: "none" },
      parallelToolCalls: true,
      responseFormat: { kind: "text" },
      topLogprobs: optionalNumber(body, "logprobs", { min: 0, max: 5, integer: true }),
    },
  }));
}

function parse(
  json: unknown,
  endpoint: GenerationEndpoint,
  options: ParseOptions,
  read: (body: Members, unsupported: UnsupportedParameters) => Pick<ParsedRequest, "prompts" | "generate">,
): ParsedRequest | Refusal {
  try {
    if (!isMembers(json)) invalid("body", `expected object, not ${kindOf(json)}.`);
    const unsupported = new UnsupportedParameters(options.unsupported);
    checkNames(json, endpoint, unsupported);
    const model = stringAt(json["model"], "model");
    const { prompts, generate } = read(json, unsupported);
    const stream = optionalBoolean(json, "stream") ?? false;
    const includeUsage = readIncludeUsage(json["stream_options"], stream, unsupported);
    const choicesPerPrompt = optionalNumber(json, "n", { min: 1, max: maxChoicesPerPrompt, integer: true }) ?? 1;
    return {
      outcome: "parsed",
      endpoint,
      model,
      prompts,
      choicesPerPrompt,
      generate,
      stream,
      includeUsage,
      asksServiceTier: optionalString(json, "service_tier") !== undefined,
      ignored: unsupported.ignored,
    };
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

function readGeneration(
  body: Members,
  maxTokens: number | undefined,
): Pick<ParsedRequest["generate"], "sampling" | "stop" | "maxTokens"> {
  return { sampling: readSampling(body), stop: readStop(body["stop"]), maxTokens };
}

function readSampling(body: Members): Sampling {
  const repetition = optionalNumber(body, "repetition_penalty", { min: 0, aboveMin: true, max: 2 });
  const repeat = optionalNumber(body, "repeat_penalty", { min: 0, aboveMin: true, max: 2 });
  if (repetition !== undefined && repeat !== undefined && repetition !== repeat) {
    invalid("repeat_penalty", "it is another name of repetition_penalty, which has another value.");
  }
  return {
    temperature: optionalNumber(body, "temperature", { min: 0, max: 2 }) ?? 1,
    topP: optionalNumber(body, "top_p", { min: 0, aboveMin: true, max: 1 }) ?? 1,
    topK: Math.max(0, optionalNumber(body, "top_k", { min: -1, max: anyCount, integer: true }) ?? 0),
    minP: optionalNumber(body, "min_p", { min: 0, max: 1 }) ?? 0,
    seed: optionalNumber(body, "seed", { min: -anyCount, max: anyCount, integer: true }),
    frequencyPenalty: optionalNumber(body, "frequency_penalty", { min: -2, max: 2 }) ?? 0,
    presencePenalty: optionalNumber(body, "presence_penalty", { min: -2, max: 2 }) ?? 0,
    repeatPenalty: repetition ?? repeat ?? 1,
  };
}

function readStop(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const stops = typeof value === "string" ? [value] : arrayAt(value, "stop");
  if (stops.length > maxStops) invalid("stop", `at most ${maxStops} strings, not ${stops.length}.`);
  return stops.map((stop, index) => {
    const text = stringAt(stop, `stop[${index}]`);
    if (text.length > maxStopCharacters) invalid(`stop[${index}]`, `at most ${maxStopCharacters} characters.`);
    return text === "" ? invalid(`stop[${index}]`, "an empty string ends every answer at once.") : text;
  });
}

function readMaxTokens(body: Members): number | undefined {
  const newer = readCount(body, "max_completion_tokens");
  const older = readCount(body, "max_tokens");
  if (newer !== undefined && older !== undefined && newer !== older) {
    invalid("max_tokens", "it is the older name of max_completion_tokens, which has another value.");
  }
  return newer ?? older;
}

function readCount(body: Members, name: string): number | undefined {
  return optionalNumber(body, name, { min: 1, max: anyCount, integer: true });
}

function readIncludeUsage(value: unknown, stream: boolean, unsupported: UnsupportedParameters): boolean {
  if (value === undefined || value === null) return false;
  if (!isMembers(value)) invalid("stream_options", `expected object, not ${kindOf(value)}.`);
  if (!stream) invalid("stream_options", "it needs `stream: true`.");
  for (const [name, setting] of Object.entries(value)) {
    if (setting === null || name === "include_usage") continue;
    if (name === "include_obfuscation" && setting === false) continue;
    unsupported.report(`stream_options.${name}`, `stream_options.${name} is not supported.`);
  }
  const include = value["include_usage"] ?? false;
  return typeof include === "boolean" ? include : invalid("stream_options.include_usage", "expected boolean.");
}

/** A text, a text's tokens, or several of either. */
function readPrompts(value: unknown): readonly GenerateRequest["prompt"][] {
  if (typeof value === "string") return [{ kind: "text", text: value }];
  const items = arrayAt(value, "prompt");
  if (items.length === 0) invalid("prompt", "it is empty.");
  if (typeof items[0] === "number") return [{ kind: "tokens", tokens: readTokens(items, "prompt") }];
  if (items.length > maxPrompts) invalid("prompt", `at most ${maxPrompts} prompts, not ${items.length}.`);
  return items.map((item, index) => {
    if (typeof item === "string") return { kind: "text", text: item };
    const path = `prompt[${index}]`;
    return { kind: "tokens", tokens: readTokens(arrayAt(item, path), path) };
  });
}

function readTokens(items: readonly unknown[], path: string): readonly number[] {
  if (items.length === 0) invalid(path, "it is empty.");
  for (const item of items) {
    if (typeof item !== "number" || !Number.isSafeInteger(item) || item < 0) invalid(path, "expected token numbers.");
  }
  return items as readonly number[];
}
