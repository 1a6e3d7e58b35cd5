import type { Token } from "node-llama-cpp";
import type { FinishReason, GenerateRequest, LogprobToken, SequencePart } from "../types.ts";
import type { OutputPlan } from "./output-plan.ts";
import { ReasoningMeter } from "./reasoning.ts";
import type { ReasoningMarks } from "./prompt.ts";
import { ContentWriter } from "./stop-strings.ts";
import type { CallEvent, ToolCallReader } from "./tool-calls.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface WriterContext {
  readonly vocabulary: Vocabulary;
  readonly reasoning: ReasoningMarks | undefined;
  /** Control tokens that a template writes calls with. */
  readonly callTokens: ReadonlySet<Token>;
  readonly callId: () => string;
}

/** Turns an answer's tokens into its parts: whole characters, text before a stop string, tool calls. */
export class AnswerWriter {
  readonly #plan: OutputPlan;
  readonly #context: WriterContext;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #content: ContentWriter;
  readonly #reader: ToolCallReader | undefined;
  readonly #reasoning: ReasoningMeter;
  #text = "";
  #parts: SequencePart[] = [];
  #reason: FinishReason | undefined;
  /** What the model has written of a call after its opening, until its grammar takes over. */
  #opened: string | undefined;

  constructor(request: GenerateRequest, plan: OutputPlan, context: WriterContext) {
    this.#plan = plan;
    this.#context = context;
    this.#content = new ContentWriter(request.stop);
    this.#reader = plan.reader?.();
    this.#reasoning = new ReasoningMeter(plan.forced === undefined ? context.reasoning : undefined);
  }

  /** Why the answer is over; undefined: it goes on. */
  get reason(): FinishReason | undefined {
    return this.#reason;
  }

  get reasoningTokens(): number {
    return this.#reasoning.tokens;
  }

  /** Begins an answer of which the prompt already holds a part. */
  begin(): readonly SequencePart[] {
    for (const event of this.#reader?.push("") ?? []) this.#event(event, undefined);
    return this.#taken();
  }

  /** `isGoverned`: a grammar holds, so that a control token is there for its text. */
  push(token: Token, isGoverned: boolean, logprob: LogprobToken | undefined): readonly SequencePart[] {
    const { bytes, isControl, endsAnswer } = this.#context.vocabulary.piece(token);
    if (endsAnswer) {
      this.#end("stop");
      return this.#taken();
    }
    const isText = !isControl || isGoverned || (this.#reader !== undefined && this.#context.callTokens.has(token));
    const text = isText ? this.#decoder.decode(bytes, { stream: true }) : "";
    this.#reasoning.push(isControl ? bytes.toString() : text);
    if (this.#reader === undefined) this.#write(text, logprob);
    else {
      let rest = logprob;
      for (const event of this.#reader.push(text)) {
        this.#event(event, rest);
        if (event.kind === "text") rest = undefined;
      }
    }
    return this.#taken();
  }

  /** The answer has as many tokens as it may have. */
  cutOff(): readonly SequencePart[] {
    this.#end("length");
    return this.#taken();
  }

  /** A call that has just been opened without a grammar: what of it stands there already. */
  takeOpened(): string | undefined {
    const opened = this.#opened;
    this.#opened = undefined;
    return opened;
  }

  /** Whether a call's arguments are being written. */
  get isCalling(): boolean {
    return this.#reader?.isCalling ?? false;
  }

  #event(event: CallEvent, logprob: LogprobToken | undefined): void {
    switch (event.kind) {
      case "text":
        return this.#write(event.text, logprob);
      case "opened":
        this.#opened = event.rest;
        break;
      case "named":
        // What was held back before the call is text after all.
        this.#add(this.#content.finish());
        this.#parts.push({ type: "tool_call", index: event.index, id: this.#context.callId(), name: event.name });
        break;
      case "arguments":
        this.#parts.push({ type: "tool_arguments", index: event.index, text: event.text });
        break;
      case "called":
        this.#plan.checkArguments.get(event.name)?.(event.arguments);
        break;
      default:
        this.#reason ??= "tool_calls";
    }
  }

  #write(text: string, logprob: LogprobToken | undefined): void {
    if (this.#plan.checkContent !== undefined) this.#text += text;
    this.#add(this.#content.push(text, logprob));
    if (this.#content.stopped) this.#reason ??= "stop";
  }

  #end(reason: FinishReason): void {
    // A character of which a part is missing is none: it is left out.
    for (const event of this.#reader?.finish() ?? []) this.#event(event, undefined);
    this.#add(this.#content.finish());
    const hasCalls = (this.#reader?.calls ?? 0) > 0;
    if (reason === "stop" && !hasCalls && this.#reason === undefined) this.#plan.checkContent?.(this.#text);
    this.#reason ??= reason === "stop" && hasCalls ? "tool_calls" : reason;
  }

  #add(part: SequencePart | undefined): void {
    if (part !== undefined) this.#parts.push(part);
  }

  #taken(): readonly SequencePart[] {
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }
}
