import type { Usage } from "../../base/index.ts";
import type { FinishReason, LogprobToken, SequencePart } from "../types.ts";
import { type AnswerHead, tierFields, usageOf } from "./head.ts";
import { chatLogprobs, legacyLogprobs } from "./logprobs.ts";
import type { GenerationEndpoint } from "./parameters.ts";

interface Choice {
  text: string;
  logprobs: LogprobToken[] | undefined;
  readonly toolCalls: { id: string; type: "function"; function: { name: string; arguments: string } }[];
  finishReason: FinishReason | null;
}

/** Collects the same parts that a stream would send into one answer of the same content. */
export class WholeAnswer {
  readonly #endpoint: GenerationEndpoint;
  readonly #head: AnswerHead;
  readonly #choices: readonly Choice[];

  constructor(endpoint: GenerationEndpoint, head: AnswerHead, choices: number) {
    this.#endpoint = endpoint;
    this.#head = head;
    this.#choices = Array.from({ length: choices }, () => ({
      text: "",
      logprobs: undefined,
      toolCalls: [],
      finishReason: null,
    }));
  }

  part(index: number, part: SequencePart): void {
    const choice = this.#choices[index]!;
    switch (part.type) {
      case "text":
        choice.text += part.text;
        if (part.logprobs !== undefined) (choice.logprobs ??= []).push(...part.logprobs);
        break;
      case "tool_call":
        choice.toolCalls[part.index] = { id: part.id, type: "function", function: { name: part.name, arguments: "" } };
        break;
      case "tool_arguments":
        choice.toolCalls[part.index]!.function.arguments += part.text;
        break;
      case "end":
        choice.finishReason = part.reason;
        break;
    }
  }

  /** The answer's JSON text. */
  body(usage: Usage): string {
    const { id, created, model, fingerprint } = this.#head;
    const isChat = this.#endpoint === "chat.completions";
    const object = isChat ? "chat.completion" : "text_completion";
    const choices = this.#choices.map(isChat ? chatChoice : completionChoice);
    const start = JSON.stringify({ id, object, created, model, choices });
    const end = JSON.stringify({ ...tierFields(this.#head), system_fingerprint: fingerprint });
    return `${start.slice(0, -1)},"usage":${usageOf(usage)},${end.slice(1)}`;
  }
}

function chatChoice(choice: Choice, index: number): object {
  const hasCalls = choice.toolCalls.length > 0;
  return {
    index,
    message: {
      role: "assistant",
      content: hasCalls && choice.text === "" ? null : choice.text,
      refusal: null,
      ...(hasCalls ? { tool_calls: choice.toolCalls } : {}),
    },
    logprobs: choice.logprobs === undefined ? null : { content: chatLogprobs(choice.logprobs), refusal: null },
    finish_reason: choice.finishReason,
  };
}

function completionChoice(choice: Choice, index: number): object {
  return {
    text: choice.text,
    index,
    logprobs: choice.logprobs === undefined ? null : legacyLogprobs(choice.logprobs, 0),
    finish_reason: choice.finishReason,
  };
}
