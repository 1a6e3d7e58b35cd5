import type { Clock } from "../../base/index.ts";
import type { GenerateRequest, LogprobToken, Sequence, SequenceCounts, SequencePart } from "../types.ts";
import type { Plan } from "./plan.ts";
import type { Script } from "./script.ts";
import { StopFilter } from "./stop.ts";

/** What all sequences of a model share. */
export interface Surroundings {
  readonly clock: Clock;
  /** Ends the process as a native crash would. */
  readonly crash: () => void;
  /** No token may be computed. */
  held: boolean;
  readonly running: Set<FakeSequence>;
}

export interface Prompted {
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
}

/** One answer, computed as it is read. Without pace a token is computed synchronously. */
export class FakeSequence implements Sequence, AsyncIterator<SequencePart> {
  readonly #request: GenerateRequest;
  readonly #script: Script;
  readonly #plan: Plan;
  readonly #prompted: Prompted;
  readonly #surroundings: Surroundings;
  readonly #maxTokens: number;
  readonly #stops: StopFilter | undefined;
  readonly #ready: SequencePart[] = [];
  #outputTokens = 0;
  #started = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #isHeld = false;
  #isListening = false;

  constructor(
    request: GenerateRequest,
    answer: { readonly script: Script; readonly plan: Plan; readonly maxTokens: number },
    prompted: Prompted,
    surroundings: Surroundings,
  ) {
    this.#request = request;
    this.#script = answer.script;
    this.#plan = answer.plan;
    this.#maxTokens = answer.maxTokens;
    this.#prompted = prompted;
    this.#surroundings = surroundings;
    this.#stops = request.stop.length === 0 ? undefined : new StopFilter(request.stop);
    surroundings.running.add(this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  counts(): SequenceCounts {
    return { ...this.#prompted, outputTokens: this.#outputTokens, reasoningTokens: 0 };
  }

  /** Ends the sequence from outside: its model is unloaded. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** The model was released: what waited for that goes on. */
  release(): void {
    if (this.#isHeld) this.#wake?.();
  }

  next(): Promise<IteratorResult<SequencePart>> {
    try {
      while (this.#ready.length === 0 && !this.#ended) {
        this.#check();
        const waitMs = this.#waitMs();
        if (waitMs > 0 || this.#surroundings.held) return this.#later(waitMs);
        this.#step();
      }
    } catch (error) {
      this.#end();
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
    const value = this.#ready.shift();
    return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value });
  }

  return(): Promise<IteratorResult<SequencePart>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #check(): void {
    if (this.#request.signal.aborted) throw this.#request.signal.reason;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #waitMs(): number {
    if (this.#outputTokens === this.#script.hangAfter) return Infinity;
    return this.#started ? this.#script.tokenMs : this.#script.firstTokenMs;
  }

  async #later(waitMs: number): Promise<IteratorResult<SequencePart>> {
    try {
      await this.#pause(waitMs);
      this.#check();
      while (this.#surroundings.held) {
        this.#isHeld = true;
        await this.#pause(Infinity);
        this.#isHeld = false;
        this.#check();
      }
      this.#step();
    } catch (error) {
      this.#end();
      throw error;
    }
    return this.next();
  }

  /** Ends after a time, or early: the request is aborted, the model goes, or what held it is released. */
  #pause(waitMs: number): Promise<void> {
    if (waitMs === 0) return Promise.resolve();
    if (!this.#isListening) {
      this.#isListening = true;
      this.#request.signal.addEventListener("abort", () => this.#wake?.());
    }
    return new Promise((resolve) => {
      const cancel = waitMs === Infinity ? undefined : this.#surroundings.clock.after(waitMs, () => this.#wake?.());
      this.#wake = (): void => {
        this.#wake = undefined;
        cancel?.();
        resolve();
      };
    });
  }

  /** Computes one token. */
  #step(): void {
    this.#started = true;
    const { crashAfter, failAfter } = this.#script;
    if (this.#outputTokens === crashAfter) this.#surroundings.crash();
    if (this.#outputTokens === failAfter) throw new Error(`the script fails after ${failAfter} tokens`);
    const index = this.#outputTokens++;
    const part = this.#plan.at(index);
    if (part === undefined) return this.#finish(this.#plan.reason);
    this.#emit(part, index);
    if (this.#stops?.stopped === true) return this.#finish("stop");
    if (this.#outputTokens >= this.#maxTokens) this.#finish("length");
  }

  #emit(part: SequencePart, index: number): void {
    if (part.type !== "text") {
      this.#ready.push(part);
      return;
    }
    const text = this.#stops === undefined ? part.text : this.#stops.push(part.text);
    const { topLogprobs } = this.#request;
    if (topLogprobs !== undefined) {
      const logprobs = [logprobOf(part.text, index, topLogprobs)];
      this.#ready.push({ type: "text", text, logprobs });
    } else if (text !== "") this.#ready.push(this.#stops === undefined ? part : { type: "text", text });
  }

  #finish(reason: "stop" | "length" | "tool_calls"): void {
    const rest = this.#stops?.rest() ?? "";
    if (rest !== "") this.#ready.push({ type: "text", text: rest });
    this.#ready.push({ type: "end", reason });
    this.#end();
  }

  #end(): void {
    this.#ended = true;
    this.#surroundings.running.delete(this);
  }
}

/** Made up, and the same each time: the chosen token first, then others, each half as likely. */
function logprobOf(token: string, index: number, alternatives: number): LogprobToken {
  const logprob = -(1 + (index % 4)) / 8;
  const others = Array.from({ length: Math.max(0, alternatives - 1) }, (_, rank) => ` other${rank}`);
  const top = (alternatives === 0 ? [] : [token, ...others]).map((text, rank) => ({
    token: text,
    bytes: [...Buffer.from(text)],
    logprob: logprob - rank * Math.LN2,
  }));
  return { token, bytes: [...Buffer.from(token)], logprob, top };
}
