import type { Refusal } from "../base/index.ts";

/** A model on disk, verified, as the catalogue knows it. */
export interface ModelFile {
  /** The name that requests use. */
  readonly name: string;
  /** Absolute path of the GGUF file, or of the folder where a program serves one. */
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Tokens of context to offer (at most what the model was trained for). */
  readonly contextTokens: number;
}

export interface EngineFactory {
  readonly name: string;
  open(settings: {
    readonly threads: number;
    /** Sequences that may run at once on one model. */
    readonly sequences: number;
    readonly gpu: "auto" | "off" | "cuda" | "vulkan" | "metal";
    /** Prompt tokens evaluated between two chances to decode or to stop, over all sequences. */
    readonly prefillSliceTokens: number;
    /** For all that is loaded at once; undefined: what the engine finds. */
    readonly memoryBytes: number | undefined;
  }): Promise<Engine>;
}

/** One engine in one process, for one device. */
export interface Engine {
  readonly name: string;
  /** Version and build, e.g. "node-llama-cpp 3.21.1 (llama.cpp b1234, cpu avx512)". */
  readonly build: string;
  /** The device it runs on, e.g. "cpu" or "NVIDIA H200". */
  readonly device: string;
  /** While it loads a model it computes nothing: a load that hangs is its end. */
  readonly loadsAlone: boolean;
  /** Of the device, for all that is loaded at once: weights, KV and what computing needs. */
  readonly memoryBytes: number;
  /** What a model takes and what it is like, from its file alone. Rejects where that cannot be read. */
  sizeOf(model: ModelFile): Promise<ModelSize>;
  load(model: ModelFile): Promise<LoadedModel>;
  close(): Promise<void>;
}

/** Of a model as this engine runs it. */
export interface ModelSize {
  /** Once loaded, with nothing running: weights, what computing needs, and KV where the engine reserves it at once. */
  readonly loadedBytes: number;
  /** For each token of a running sequence, beside that; 0 where it is reserved at once. */
  readonly kvBytesPerToken: number;
  /** Weights alone, as they are read for a step. */
  readonly weightsBytes: number;
  readonly parameters: number;
  readonly layers: number;
  /** Whether it has a chat template. */
  readonly chats: boolean;
  /** Tokens that a request may hold here: what is offered, or what it was trained for where that is less. */
  readonly contextTokens: number;
}

export interface LoadedModel {
  readonly model: ModelFile;
  /** Tokens a request may hold, prompt and answer together. */
  readonly contextTokens: number;
  /** Sequences that may run at once; further ones wait in the host's queue. */
  readonly sequences: number;
  /** Whether it has a chat template; a base model has none, and completes text only. */
  readonly chats: boolean;
  /**
   * Starts an answer. Refuses (never throws) what cannot run: a prompt over the context, a schema that the grammar
   * cannot enforce, a parameter that this engine lacks. The sequence runs only while it is read.
   */
  start(request: GenerateRequest): Promise<Sequence | Refusal>;
  /** After `hold()` resolves no token is computed until `release()`: the running step ends first. Both are idempotent. */
  hold(): Promise<void>;
  release(): void;
  /**
   * No prompt finds again what this tenant has asked before: what no answer uses is cleared at once, what one uses at its
   * end. undefined: what anybody has asked. Resolves once that is so.
   */
  forget(tenant: string | undefined): Promise<void>;
  /** Fulfilled, with why, when it is gone without having been unloaded; absent: it cannot be, as long as the engine is there. */
  readonly lost?: Promise<string>;
  /** Frees weights and contexts; running sequences end with `error`. */
  unload(): Promise<void>;
}

export interface GenerateRequest {
  /** Prompt caches are reused within one tenant (a project) and cleared between two. */
  readonly tenant: string;
  readonly prompt:
    | { readonly kind: "chat"; readonly messages: readonly ChatMessage[] }
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "tokens"; readonly tokens: readonly number[] };
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly responseFormat: ResponseFormat;
  readonly sampling: Sampling;
  /** At most 4 strings; the answer ends before the first that appears, and does not contain it. */
  readonly stop: readonly string[];
  /** undefined: as many as the context leaves. */
  readonly maxTokens: number | undefined;
  /** undefined: no logprobs; 0 to 20: that many alternatives a token. */
  readonly topLogprobs: number | undefined;
  readonly signal: AbortSignal;
}

export interface Sampling {
  /** 0 is greedy. */
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly minP: number;
  readonly seed: number | undefined;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly repeatPenalty: number;
}

export type ContentPart = { readonly type: "text"; readonly text: string };

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly toolCalls?: readonly ToolCall[];
  readonly toolCallId?: string;
  readonly name?: string;
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema of the arguments; undefined: an empty object. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
}

export type ToolChoice =
  | { readonly kind: "none" }
  | { readonly kind: "auto" }
  | { readonly kind: "required" }
  | { readonly kind: "named"; readonly name: string };

export type ResponseFormat =
  | { readonly kind: "text" }
  | { readonly kind: "json_object" }
  | { readonly kind: "json_schema"; readonly name: string; readonly schema: Readonly<Record<string, unknown>> };

export type FinishReason = "stop" | "length" | "tool_calls";

/** One answer being computed. Reading it runs it; `counts()` is right at any moment, also after an abort or an error. */
export interface Sequence extends AsyncIterable<SequencePart> {
  counts(): SequenceCounts;
}

export interface SequenceCounts {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  /** Every token sampled for this answer, the end-of-turn token included, whether or not it became text. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/** Parts arrive in order; `end` is the last. An engine that fails throws; an aborted signal ends it by throwing its reason. */
export type SequencePart =
  /** Whole characters only; a token may add none, several tokens may come together. */
  | { readonly type: "text"; readonly text: string; readonly logprobs?: readonly LogprobToken[] }
  /** A call begins: its index within the answer, id and name. */
  | { readonly type: "tool_call"; readonly index: number; readonly id: string; readonly name: string }
  /** More of that call's arguments, JSON text. */
  | { readonly type: "tool_arguments"; readonly index: number; readonly text: string }
  | { readonly type: "end"; readonly reason: FinishReason };

export interface LogprobToken {
  readonly token: string;
  readonly bytes: readonly number[];
  /** Natural logarithm, of the distribution before temperature and truncation. */
  readonly logprob: number;
  readonly top: readonly { readonly token: string; readonly bytes: readonly number[]; readonly logprob: number }[];
}
