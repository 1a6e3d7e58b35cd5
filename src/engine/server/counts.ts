import type { SequenceCounts } from "../types.ts";
import { membersOf } from "./control.ts";

/**
 * What an answer has used so far. Programs tell it in each event (vLLM: `usage`; llama.cpp: `timings`), or at the end
 * only: until they have told it, each event that carries something of the answer counts as one token.
 */
export class AnswerCounts {
  #inputTokens: number;
  #cachedInputTokens = 0;
  #outputTokens = 0;
  #reasoningTokens = 0;
  #isTold = false;

  constructor(inputTokens: number) {
    this.#inputTokens = inputTokens;
  }

  get now(): SequenceCounts {
    return {
      inputTokens: this.#inputTokens,
      cachedInputTokens: this.#cachedInputTokens,
      outputTokens: this.#outputTokens,
      reasoningTokens: this.#reasoningTokens,
    };
  }

  /** `tokens`: how many the event holds, as far as it can be seen. */
  read(event: Readonly<Record<string, unknown>>, tokens: number): void {
    if (isMembers(event["usage"])) this.#readUsage(event["usage"]);
    else if (isMembers(event["timings"])) this.#readTimings(event["timings"]);
    else if (!this.#isTold) this.#outputTokens += tokens;
  }

  #readUsage(usage: Readonly<Record<string, unknown>>): void {
    this.#isTold = true;
    this.#inputTokens = numberOf(usage["prompt_tokens"]) ?? this.#inputTokens;
    this.#outputTokens = numberOf(usage["completion_tokens"]) ?? this.#outputTokens;
    const cached = numberOf(membersOf(usage["prompt_tokens_details"])["cached_tokens"]);
    this.#cachedInputTokens = Math.min(cached ?? this.#cachedInputTokens, this.#inputTokens);
    const reasoning = numberOf(membersOf(usage["completion_tokens_details"])["reasoning_tokens"]);
    this.#reasoningTokens = reasoning ?? this.#reasoningTokens;
  }

  #readTimings(timings: Readonly<Record<string, unknown>>): void {
    const [computed, cached, output] = ["prompt_n", "cache_n", "predicted_n"].map((name) => numberOf(timings[name]));
    if (computed === undefined || output === undefined) return;
    this.#isTold = true;
    this.#inputTokens = computed + (cached ?? 0);
    this.#cachedInputTokens = cached ?? 0;
    this.#outputTokens = output;
  }
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
