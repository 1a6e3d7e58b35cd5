import type { Usage } from "../../base/index.ts";
import type { SequencePart } from "../types.ts";
import { type AnswerHead, tierFields, usageOf } from "./head.ts";
import { characters, chatLogprobs, legacyLogprobs } from "./logprobs.ts";

/** Turns an answer's parts into server-sent events, whole frames only. One encoder an answer. */
export interface StreamEncoder {
  /** The frames of one part of one choice. */
  part(choice: number, part: SequencePart): string;
  /** The chunk without choices that carries the usage; it stands right before `done`. */
  usage(usage: Usage): string;
}

/** The last frame of a stream that is complete. */
export const streamDone = "data: [DONE]\n\n";

/** A comment line, for proxies that cut connections on which nothing moves. */
export const keepAlive = ": keep-alive\n\n";

/** Chunks of chat completions. What does not change is encoded once; a token costs one JSON string. */
export class ChatStream implements StreamEncoder {
  readonly #start: string;
  readonly #begun = new Set<number>();

  constructor(head: AnswerHead) {
    this.#start = chunkStart(head, "chat.completion.chunk");
  }

  part(choice: number, part: SequencePart): string {
    const delta = this.#delta(choice, part);
    if (this.#begun.has(choice)) return delta;
    this.#begun.add(choice);
    return `${this.#start}{"index":${choice},"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n${delta}`;
  }

  usage(usage: Usage): string {
    return `${this.#start}],"usage":${usageOf(usage)}}\n\n`;
  }

  #delta(choice: number, part: SequencePart): string {
    const start = `${this.#start}{"index":${choice},"delta":`;
    switch (part.type) {
      case "text": {
        const text = JSON.stringify(part.text);
        if (part.logprobs === undefined) return `${start}{"content":${text}},"finish_reason":null}]}\n\n`;
        const logprobs = JSON.stringify({ content: chatLogprobs(part.logprobs), refusal: null });
        return `${start}{"content":${text}},"logprobs":${logprobs},"finish_reason":null}]}\n\n`;
      }
      case "tool_call": {
        const call = { index: part.index, id: part.id, type: "function", function: { name: part.name, arguments: "" } };
        return `${start}{"tool_calls":[${JSON.stringify(call)}]},"finish_reason":null}]}\n\n`;
      }
      case "tool_arguments": {
        const call = `{"index":${part.index},"function":{"arguments":${JSON.stringify(part.text)}}}`;
        return `${start}{"tool_calls":[${call}]},"finish_reason":null}]}\n\n`;
      }
      case "end":
        break;
    }
    return `${start}{},"finish_reason":"${part.reason}"}]}\n\n`;
  }
}

/** Chunks of completions. */
export class CompletionStream implements StreamEncoder {
  readonly #start: string;
  /** Where each choice's next token begins in its text; only kept where logprobs are asked for. */
  readonly #offsets = new Map<number, number>();

  constructor(head: AnswerHead) {
    this.#start = chunkStart(head, "text_completion");
  }

  part(choice: number, part: SequencePart): string {
    switch (part.type) {
      case "text": {
        const logprobs = part.logprobs === undefined ? "null" : this.#logprobs(choice, part.logprobs);
        const text = JSON.stringify(part.text);
        return `${this.#start}{"text":${text},"index":${choice},"logprobs":${logprobs},"finish_reason":null}]}\n\n`;
      }
      case "tool_call":
      case "tool_arguments":
        throw new Error("a completion has no tools");
      case "end":
        break;
    }
    return `${this.#start}{"text":"","index":${choice},"logprobs":null,"finish_reason":"${part.reason}"}]}\n\n`;
  }

  usage(usage: Usage): string {
    return `${this.#start}],"usage":${usageOf(usage)}}\n\n`;
  }

  #logprobs(choice: number, tokens: Parameters<typeof legacyLogprobs>[0]): string {
    const offset = this.#offsets.get(choice) ?? 0;
    this.#offsets.set(
      choice,
      tokens.reduce((sum, { token }) => sum + characters(token), offset),
    );
    return JSON.stringify(legacyLogprobs(tokens, offset));
  }
}

function chunkStart(head: AnswerHead, object: string): string {
  const { id, created, model, fingerprint } = head;
  const fields = JSON.stringify({ id, object, created, model, ...tierFields(head), system_fingerprint: fingerprint });
  return `data: ${fields.slice(0, -1)},"choices":[`;
}
