import { type Clock, errorEvent, type Refusal, type Usage } from "../base/index.ts";
import type { SequencePart } from "../engine/index.ts";
import {
  type AnswerHead,
  ChatStream,
  CompletionStream,
  keepAlive,
  type ParsedRequest,
  streamDone,
  type StreamEncoder,
  WholeAnswer,
} from "../engine/openai/index.ts";
import type { Leaving, Outbox } from "./outbox.ts";
import type { Reply } from "./reply.ts";

/** Where an answer's parts go: into a stream as they come, or into one body at the end. */
export interface Answer {
  /** A promise where the client reads more slowly than parts come. */
  part(choice: number, part: SequencePart): Promise<void> | undefined;
  finish(usage: Usage): void;
  fail(refusal: Refusal): void;
  /** Called about once a second. */
  sweep(): void;
}

export interface AnswerOptions {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly reply: Reply;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** A gateway always gets the usage, so that it need not change the request for it. */
  readonly includeUsage: boolean;
  readonly stallMs: number;
}

/** Proxies cut connections on which nothing moves, some after as little as 15 s. */
const keepAliveMs = 10_000;

export function answerFor(asked: ParsedRequest, head: AnswerHead, options: AnswerOptions): Answer {
  if (asked.stream) {
    const encoder = asked.endpoint === "chat.completions" ? new ChatStream(head) : new CompletionStream(head);
    return new StreamedAnswer(encoder, options);
  }
  const choices = asked.prompts.length * asked.choicesPerPrompt;
  return new CollectedAnswer(new WholeAnswer(asked.endpoint, head, choices), options);
}

class StreamedAnswer implements Answer, Leaving {
  readonly #encoder: StreamEncoder;
  readonly #options: AnswerOptions;
  #pending = "";
  #isEnded = false;
  #movedMs: number;
  #refusal: Refusal | undefined;

  constructor(encoder: StreamEncoder, options: AnswerOptions) {
    this.#encoder = encoder;
    this.#options = options;
    this.#movedMs = options.clock.monotonicMs();
  }

  part(choice: number, part: SequencePart): Promise<void> | undefined {
    this.#pending += this.#encoder.part(choice, part);
    this.#options.outbox.add(this);
    return this.#options.reply.drained;
  }

  finish(usage: Usage): void {
    this.#isEnded = true;
    this.#pending += (this.#options.includeUsage ? this.#encoder.usage(usage) : "") + streamDone;
    this.#options.outbox.add(this);
  }

  /** Before the first part it is a response of its own; behind it, the stream's last event, without `[DONE]`. */
  fail(refusal: Refusal): void {
    this.#isEnded = true;
    this.#refusal = refusal;
    this.#options.outbox.add(this);
  }

  sweep(): void {
    const { clock, reply, stallMs } = this.#options;
    const silentMs = clock.monotonicMs() - this.#movedMs;
    if (reply.drained !== undefined) {
      if (silentMs > stallMs) reply.cut();
    } else if (silentMs >= keepAliveMs) {
      this.#pending += keepAlive;
      this.leave();
    }
  }

  leave(): void {
    const { clock, reply, headers } = this.#options;
    const text = this.#pending;
    this.#pending = "";
    if (this.#refusal !== undefined && !reply.begun && text === "") return reply.refuse(this.#refusal);
    if (!reply.begun) reply.beginStream(headers);
    if (this.#refusal !== undefined) reply.end(`${text}${errorEvent(this.#refusal)}`);
    else if (this.#isEnded) reply.end(text);
    else {
      this.#movedMs = clock.monotonicMs();
      reply.write(text);
    }
  }
}

class CollectedAnswer implements Answer, Leaving {
  readonly #whole: WholeAnswer;
  readonly #options: AnswerOptions;
  #outcome: Refusal | Usage | undefined;

  constructor(whole: WholeAnswer, options: AnswerOptions) {
    this.#whole = whole;
    this.#options = options;
  }

  part(choice: number, part: SequencePart): undefined {
    this.#whole.part(choice, part);
  }

  finish(usage: Usage): void {
    this.#outcome = usage;
    this.#options.outbox.add(this);
  }

  fail(refusal: Refusal): void {
    this.#outcome = refusal;
    this.#options.outbox.add(this);
  }

  sweep(): void {
    // One body at the end: there is nothing to send before it.
  }

  leave(): void {
    const outcome = this.#outcome!;
    const { reply, headers } = this.#options;
    if ("outcome" in outcome) reply.refuse(outcome);
    else reply.whole(200, Buffer.from(this.#whole.body(outcome)), headers);
  }
}
