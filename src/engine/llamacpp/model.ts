import type { LlamaContext, LlamaModel } from "node-llama-cpp";
import { refuse, type Refusal } from "../../base/index.ts";
import type { GenerateRequest, LoadedModel, ModelFile, Sequence } from "../types.ts";
import { Answer, type AnswerContext } from "./answer.ts";
import { Grammars } from "./grammars.ts";
import { planOutput } from "./output-plan.ts";
import { PromptWriter } from "./prompt.ts";
import { type RoundLimits, Rounds } from "./rounds.ts";
import { seedOf } from "./sampling.ts";
import { Slots } from "./slots.ts";
import { Vocabulary } from "./vocabulary.ts";

export interface ModelSettings {
  readonly sequences: number;
  readonly roundLimits: RoundLimits;
  readonly entropy: (count: number) => Buffer;
}

/** Answers that may wait for a slot, for each slot: who has a queue of its own never meets this bound. */
const waitingForOneSlot = 16;

/**
 * Bytes for each token of the context, beyond which a prompt is refused unread: texts have three to six. Tokenizing
 * happens at one go, and nobody's answer goes on meanwhile.
 */
const bytesOfTokenMax = 16;

/** A model in memory, and the one context in which all its sequences run. */
export class LlamaCppModel implements LoadedModel {
  readonly model: ModelFile;
  readonly contextTokens: number;
  readonly sequences: number;
  readonly chats: boolean;
  /** Called once it is gone from memory. */
  onUnload: () => void = () => {};
  readonly #llamaModel: LlamaModel;
  readonly #llamaContext: LlamaContext;
  readonly #prompts: PromptWriter;
  readonly #shared: AnswerContext;
  readonly #entropy: (count: number) => Buffer;
  #unloaded: Promise<void> | undefined;

  constructor(file: ModelFile, model: LlamaModel, context: LlamaContext, settings: ModelSettings) {
    const { sequences, roundLimits, entropy } = settings;
    this.model = file;
    this.contextTokens = Math.min(file.contextTokens, context.contextSize);
    this.sequences = sequences;
    this.chats = (model.fileInfo.metadata.tokenizer.chat_template ?? "").trim() !== "";
    this.#llamaModel = model;
    this.#llamaContext = context;
    this.#entropy = entropy;
    const vocabulary = new Vocabulary(model);
    this.#prompts = new PromptWriter(model, vocabulary);
    this.#shared = {
      rounds: new Rounds(roundLimits),
      slots: new Slots(sequences, () => context.getSequence()),
      grammars: new Grammars(model),
      vocabulary,
      reasoning: this.#prompts.reasoning,
      callTokens: this.#prompts.callTokens,
      callId: () => `call_${entropy(12).toString("hex")}`,
    };
  }

  async start(request: GenerateRequest): Promise<Sequence | Refusal> {
    if (this.#unloaded !== undefined) return refuse("engine_unavailable", `The model ${this.model.name} is unloaded.`);
    const { slots, grammars } = this.#shared;
    if (slots.waiting >= waitingForOneSlot * this.sequences) {
      return refuse("overloaded", "Too many answers wait for this model.", { retryAfterSeconds: 1 });
    }
    const { sampling, topLogprobs } = request;
    if (topLogprobs !== undefined && sampling.repeatPenalty !== 1) {
      const text = "Logprobs cannot be given beside a repetition penalty, which needs more than probabilities.";
      return refuse("unsupported_parameter", text, { param: "repetition_penalty" });
    }
    const bytes = promptBytes(request);
    if (bytes > this.contextTokens * bytesOfTokenMax) {
      return refuse(
        "context_length_exceeded",
        `The prompt has ${bytes} bytes; the model's context holds ${this.contextTokens} tokens, the answer included.`,
      );
    }
    const plan = planOutput(request, this.#prompts.format);
    if (plan.outcome === "refused") return plan;
    try {
      for (const grammar of [plan.grammar, plan.callGrammar?.("")])
        if (grammar !== undefined) await grammars.prepare(grammar);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return refuse("unsupported_schema", `No grammar can be made of this schema: ${reason}`);
    }
    const prompt = this.#prompts.write(request, plan.forced);
    if (prompt.outcome === "refused") return prompt;
    const { tokens } = prompt;
    const room = this.contextTokens - tokens.length;
    if (tokens.length === 0) return refuse("invalid_request", "The prompt is empty.", { param: "prompt" });
    if (room < 1) {
      return refuse(
        "context_length_exceeded",
        `The prompt has ${tokens.length} tokens; the model's context holds ${this.contextTokens}, the answer included.`,
      );
    }
    const maxTokens = Math.min(request.maxTokens ?? room, room);
    const seed = seedOf(sampling.seed, this.#entropy);
    return new Answer({ request, plan, prompt: tokens, maxTokens, seed }, this.#shared);
  }

  hold(): Promise<void> {
    return this.#shared.rounds.hold();
  }

  release(): void {
    this.#shared.rounds.release();
  }

  async forget(tenant: string | undefined): Promise<void> {
    if (this.#unloaded !== undefined) return;
    this.#shared.grammars.forget();
    await this.#shared.slots.forget(tenant);
  }

  unload(): Promise<void> {
    this.#unloaded ??= this.#unload();
    return this.#unloaded;
  }

  async #unload(): Promise<void> {
    const error = new Error(`the model ${this.model.name} is unloaded`);
    this.#shared.slots.close(error);
    await this.#shared.rounds.close(error);
    await this.#llamaContext.dispose();
    await this.#llamaModel.dispose();
    this.onUnload();
  }
}

function promptBytes({ prompt, tools, toolChoice }: GenerateRequest): number {
  switch (prompt.kind) {
    case "tokens":
      return 0;
    case "text":
      return Buffer.byteLength(prompt.text);
    default: {
      const described = toolChoice.kind === "none" || tools.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(tools));
      return prompt.messages.reduce((sum, { content, toolCalls }) => {
        const calls = toolCalls === undefined ? 0 : Buffer.byteLength(JSON.stringify(toolCalls));
        return sum + Buffer.byteLength(content) + calls;
      }, described);
    }
  }
}
