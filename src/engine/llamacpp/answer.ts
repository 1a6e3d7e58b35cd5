import type { LlamaGrammarEvaluationState, SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { FinishReason, GenerateRequest, Sequence, SequenceCounts, SequencePart } from "../types.ts";
import { AnswerWriter, type WriterContext } from "./answer-writer.ts";
import type { Grammars } from "./grammars.ts";
import { logprobOf } from "./logprobs.ts";
import type { OutputPlan } from "./output-plan.ts";
import { OwnSampler } from "./own-sampler.ts";
import type { Participant, Rounds } from "./rounds.ts";
import { samplerOptions } from "./sampling.ts";
import { keepCheckpoint, prepareSlot, type Slot, type Slots } from "./slots.ts";

/** What the answers of a model share. */
export interface AnswerContext extends WriterContext {
  readonly rounds: Rounds;
  readonly slots: Slots;
  readonly grammars: Grammars;
}

export interface AnswerTask {
  readonly request: GenerateRequest;
  readonly plan: OutputPlan;
  readonly prompt: readonly Token[];
  readonly maxTokens: number;
  readonly seed: number;
}

/** One answer, computed while it is read: it waits for a slot, computes its prompt in slices, then token by token. */
export class Answer implements Sequence, Participant {
  readonly #task: AnswerTask;
  readonly #context: AnswerContext;
  readonly #writer: AnswerWriter;
  readonly #generated: Token[] = [];
  /** Its slot's place among the context's sequences. */
  place = 0;
  #cachedInputTokens = 0;
  #grammar: LlamaGrammarEvaluationState | undefined;

  constructor(task: AnswerTask, context: AnswerContext) {
    this.#task = task;
    this.#context = context;
    this.#writer = new AnswerWriter(task.request, task.plan, context);
  }

  counts(): SequenceCounts {
    return {
      inputTokens: this.#task.prompt.length,
      cachedInputTokens: this.#cachedInputTokens,
      outputTokens: this.#generated.length,
      reasoningTokens: this.#writer.reasoningTokens,
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SequencePart, void, void> {
    const { signal } = this.#task.request;
    const { rounds, slots } = this.#context;
    signal.throwIfAborted();
    const withdraw = (): void => {
      slots.withdraw(this, signal.reason);
      rounds.withdraw(this, signal.reason);
    };
    signal.addEventListener("abort", withdraw, { once: true });
    try {
      const slot = await slots.lend(this, this.#task.request.tenant, this.#task.prompt);
      this.place = slot.place;
      const reason = yield* this.#compute(slot);
      yield { type: "end", reason };
    } finally {
      signal.removeEventListener("abort", withdraw);
    }
  }

  async *#compute(slot: Slot): AsyncGenerator<SequencePart, FinishReason, void> {
    let isSound = true;
    try {
      await this.#prefill(slot);
      return yield* this.#decode(slot);
    } catch (error) {
      // After an abort the slot's state is what its counts say; after anything else nobody knows.
      isSound = this.#task.request.signal.aborted;
      throw error;
    } finally {
      this.#context.slots.takeBack(slot, isSound);
    }
  }

  /** Computes the prompt but for its last token, from which the answer's first one follows. */
  async #prefill(slot: Slot): Promise<void> {
    const { prompt, request } = this.#task;
    const { sequence } = slot;
    this.#cachedInputTokens = await prepareSlot(slot, request.tenant, prompt);
    const end = prompt.length - 1;
    for (let at = sequence.nextTokenIndex; at < end; at = sequence.nextTokenIndex) {
      request.signal.throwIfAborted();
      await this.#context.rounds.prefill(this, end - at, (tokens) =>
        sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + tokens)),
      );
    }
    request.signal.throwIfAborted();
    await keepCheckpoint(slot);
  }

  async *#decode({ sequence }: Slot): AsyncGenerator<SequencePart, FinishReason, void> {
    const { prompt, plan, request } = this.#task;
    if (plan.grammar !== undefined) this.#grammar = await this.#context.grammars.begin(plan.grammar);
    yield* this.#writer.begin();
    const steps =
      request.topLogprobs === undefined
        ? this.#sampled(sequence.evaluateWithMetadata([prompt.at(-1)!], {}, this.#options()))
        : this.#chosen(
            sequence.evaluateWithMetadata([prompt.at(-1)!], { probabilities: true }, greedy),
            request.topLogprobs,
          );
    for await (const parts of steps) {
      request.signal.throwIfAborted();
      yield* parts;
      if (this.#writer.reason !== undefined) return this.#writer.reason;
      if (this.#generated.length >= this.#task.maxTokens) break;
      await this.#governCall();
    }
    yield* this.#writer.cutOff();
    return this.#writer.reason ?? "length";
  }

  #options(): SequenceEvaluateOptions {
    const { request, seed, maxTokens } = this.#task;
    return {
      ...samplerOptions(request.sampling, seed, { tokens: this.#generated, maxTokens }),
      ...common,
      // Always asked anew, because a call in the middle of a free answer has a grammar of its own.
      grammarEvaluationState: () => this.#grammar,
    };
  }

  /** Tokens as the library samples them. */
  async *#sampled(
    tokens: AsyncGenerator<{ token: Token }, void, void>,
  ): AsyncGenerator<readonly SequencePart[], void, void> {
    try {
      for (;;) {
        const step = await this.#context.rounds.decode(this, () => tokens.next());
        if (step.done === true) throw new Error("the engine ended an answer without a token");
        this.#generated.push(step.value.token);
        yield this.#writer.push(step.value.token, this.#grammar !== undefined, undefined);
      }
    } finally {
      await tokens.return();
    }
  }

  /** Tokens that we choose ourselves from the whole distribution, which the library computes for greedy sampling only. */
  async *#chosen(
    tokens: AsyncGenerator<{ probabilities: Map<Token, number> }, void, Token | void>,
    alternatives: number,
  ): AsyncGenerator<readonly SequencePart[], void, void> {
    const { sampling } = this.#task.request;
    const sampler = new OwnSampler(sampling, this.#task.seed);
    try {
      for (let last: Token | undefined; ; last = this.#generated.at(-1)) {
        const step = await this.#context.rounds.decode(this, () =>
          last === undefined ? tokens.next() : tokens.next(last),
        );
        if (step.done === true) throw new Error("the engine ended an answer without a token");
        const { probabilities } = step.value;
        const acceptor = this.#grammar === undefined ? undefined : this.#context.grammars.acceptor(this.#grammar);
        const token = await sampler.choose(probabilities, acceptor);
        this.#generated.push(token);
        const logprob = logprobOf(token, probabilities, alternatives, this.#context.vocabulary);
        yield this.#writer.push(token, this.#grammar !== undefined, logprob);
      }
    } finally {
      await tokens.return();
    }
  }

  /** Puts a call that the model has begun under the grammar of its tool, and what follows it under none. */
  async #governCall(): Promise<void> {
    const { plan } = this.#task;
    if (plan.callGrammar === undefined) return;
    const opened = this.#writer.takeOpened();
    if (opened !== undefined && this.#writer.isCalling) {
      const grammar = plan.callGrammar(opened);
      this.#grammar = grammar === undefined ? undefined : await this.#context.grammars.begin(grammar);
    } else if (!this.#writer.isCalling) this.#grammar = undefined;
  }
}

const common: SequenceEvaluateOptions = {
  yieldEogToken: true,
  contextShift: {
    strategy: () => {
      throw new Error("an answer outgrew its context");
    },
  },
};
const greedy: SequenceEvaluateOptions = { temperature: 0, ...common };
