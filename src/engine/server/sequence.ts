import { type Exchange, type Head, type Reader } from "../upstream/index.ts";
import type { GenerateRequest, Sequence, SequenceCounts, SequencePart } from "../types.ts";
import { AnswerReader } from "./answer-reader.ts";
import type { Question } from "./body.ts";
import { EventReader } from "./events.ts";
import { Inbox } from "./inbox.ts";
import type { AnswerPlan } from "./plan.ts";
import { errorOf } from "./refusal.ts";

/** What the sequences of a model share. */
export interface Surroundings {
  readonly send: (question: Question, reader: Reader) => Exchange;
  readonly callId: () => string;
  readonly running: Set<ServerSequence>;
  /** Why nothing can be computed any more; undefined: it can. */
  readonly failure: () => Error | undefined;
}

export interface Task {
  readonly request: GenerateRequest;
  readonly plan: AnswerPlan;
  readonly question: Question;
  /** 0: the program has not counted them yet. */
  readonly inputTokens: number;
}

/** Parts that may wait for the reader before the connection is paused, and from which it goes on. */
const waitingMax = 64;
const waitingFew = 16;
const errorBytesMax = 65_536;

/** One answer of a program: asked for when it is first read, and broken off when nobody reads it any more. */
export class ServerSequence implements Sequence, Reader {
  readonly #task: Task;
  readonly #surroundings: Surroundings;
  readonly #events = new EventReader();
  readonly #answer: AnswerReader;
  readonly #inbox = new Inbox<SequencePart>();
  #exchange: Exchange | undefined;
  #isPaused = false;
  #status = 0;
  #errorBody = "";

  constructor(task: Task, surroundings: Surroundings) {
    this.#task = task;
    this.#surroundings = surroundings;
    this.#answer = new AnswerReader(task.request, task.plan, {
      inputTokens: task.inputTokens,
      callId: surroundings.callId,
    });
  }

  counts(): SequenceCounts {
    return this.#answer.counts;
  }

  /** Ends it from outside: its program has ended, or its model is unloaded. */
  fail(error: Error): void {
    this.#inbox.cut(error);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SequencePart, void, void> {
    const { request, question } = this.#task;
    const { running, failure } = this.#surroundings;
    request.signal.throwIfAborted();
    const failed = failure();
    if (failed !== undefined) throw failed;
    const abort = (): void => this.#inbox.cut(request.signal.reason);
    request.signal.addEventListener("abort", abort, { once: true });
    running.add(this);
    try {
      this.#exchange = this.#surroundings.send(question, this);
      for (let part = await this.#inbox.take(); part !== undefined; part = await this.#inbox.take()) {
        yield part;
        this.#resume();
      }
    } finally {
      running.delete(this);
      request.signal.removeEventListener("abort", abort);
      // Whoever has ended already takes no notice.
      this.#exchange?.abort(new Error("nobody reads this answer"));
    }
  }

  head({ status }: Head): void {
    this.#status = status;
  }

  part(bytes: Buffer): void {
    if (this.#status !== 200) {
      if (this.#errorBody.length < errorBytesMax) this.#errorBody += bytes.toString("utf8");
      return;
    }
    try {
      for (const data of this.#events.push(bytes)) for (const part of this.#answer.read(data)) this.#inbox.push(part);
    } catch (error) {
      return this.#inbox.fail(error);
    }
    if (this.#inbox.size <= waitingMax || this.#isPaused) return;
    this.#isPaused = true;
    this.#exchange?.pause();
  }

  end(): void {
    if (this.#status !== 200) return this.#inbox.fail(errorOf(this.#status, parsed(this.#errorBody)));
    // A program that crashes ends its stream like any other, but for its last event.
    if (!this.#answer.isOver) return this.#inbox.fail(new Error("the program ended an answer before its end"));
    this.#inbox.end();
  }

  failed(error: Error): void {
    const broken = new Error("the connection to the program broke", { cause: error });
    this.#inbox.fail(this.#surroundings.failure() ?? broken);
  }

  #resume(): void {
    if (!this.#isPaused || this.#inbox.size > waitingFew) return;
    this.#isPaused = false;
    this.#exchange?.resume();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { message: text };
  }
}
