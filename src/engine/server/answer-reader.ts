import type { FinishReason, GenerateRequest, LogprobToken, SequenceCounts, SequencePart } from "../types.ts";
import { membersOf } from "./control.ts";
import { AnswerCounts } from "./counts.ts";
import { ForcedCallReader } from "./forced-call.ts";
import { logprobsOf } from "./logprobs.ts";
import type { AnswerPlan } from "./plan.ts";
import { errorOf } from "./refusal.ts";

type Members = Readonly<Record<string, unknown>>;

/** Turns a stream's events into an answer's parts, and keeps its counts. */
export class AnswerReader {
  readonly #plan: AnswerPlan;
  readonly #hasStops: boolean;
  readonly #callId: () => string;
  readonly #counts: AnswerCounts;
  readonly #forced: ForcedCallReader | undefined;
  readonly #calls = new Set<number>();
  #forcedName: string | undefined;
  #isReasoning = false;
  #text = "";
  #finish: string | undefined;
  #isOver = false;
  #parts: SequencePart[] = [];

  constructor(request: GenerateRequest, plan: AnswerPlan, given: { inputTokens: number; callId: () => string }) {
    this.#plan = plan;
    this.#hasStops = request.stop.length > 0;
    this.#callId = given.callId;
    this.#counts = new AnswerCounts(given.inputTokens);
    this.#forced = plan.forced === undefined ? undefined : new ForcedCallReader(plan.forced);
  }

  get counts(): SequenceCounts {
    return this.#counts.now;
  }

  /** Whether the stream has said that it is complete. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Throws where an event is an error, or the answer is not what was asked for. */
  read(data: string): readonly SequencePart[] {
    if (this.#isOver) return [];
    if (data === "[DONE]") this.#end();
    else this.#event(membersOf(JSON.parse(data)));
    const parts = this.#parts;
    this.#parts = [];
    return parts;
  }

  #event(event: Members): void {
    if (event["error"] !== undefined && event["error"] !== null) {
      const { code } = membersOf(event["error"]);
      throw errorOf(typeof code === "number" ? code : 500, event);
    }
    const [choice] = Array.isArray(event["choices"]) ? (event["choices"] as unknown[]) : [];
    const tokens = choice === undefined ? 0 : this.#choice(membersOf(choice));
    this.#counts.read(event, tokens);
  }

  /** Reads the answer's next piece; returns how many tokens it seems to be. */
  #choice(choice: Members): number {
    const { finish_reason: finish, text } = choice;
    const delta = membersOf(choice["delta"]);
    if (typeof finish === "string") this.#finish = finish;
    const content = textOf(text) + textOf(delta["content"]);
    const reasoning = textOf(delta["reasoning"] ?? delta["reasoning_content"]);
    const logprobs = logprobsOf(choice["logprobs"]);
    if (reasoning !== "") this.#reason(reasoning);
    // The token that ends an answer is none of its text.
    const isEnd = content === "" && finish === "stop";
    if (content !== "" || (logprobs !== undefined && logprobs.length > 0 && !isEnd)) this.#write(content, logprobs);
    const calls = Array.isArray(delta["tool_calls"]) ? (delta["tool_calls"] as unknown[]) : [];
    for (const [place, call] of calls.entries()) this.#call(membersOf(call), place);
    const seen = content !== "" || reasoning !== "" || calls.length > 0 || isEnd;
    return logprobs?.length ?? Number(seen);
  }

  /** A program that takes a model's reasoning apart gives it back here as the model wrote it. */
  #reason(text: string): void {
    this.#parts.push({ type: "text", text: this.#isReasoning ? text : `<think>${text}` });
    this.#isReasoning = true;
  }

  #write(text: string, logprobs: readonly LogprobToken[] | undefined): void {
    if (this.#isReasoning) this.#parts.push({ type: "text", text: "</think>" });
    this.#isReasoning = false;
    if (this.#forced !== undefined) return this.#writeForced(this.#forced, text);
    if (this.#plan.checkContent !== undefined) this.#text += text;
    this.#parts.push({ type: "text", text, ...(logprobs === undefined ? {} : { logprobs }) });
  }

  #writeForced(reader: ForcedCallReader, text: string): void {
    const { tools } = this.#plan.forced!;
    if (this.#forcedName === undefined && tools.length === 1) this.#beginForced(tools[0]!.name);
    for (const piece of reader.push(text)) {
      if ("name" in piece) this.#beginForced(piece.name);
      else this.#parts.push({ type: "tool_arguments", index: 0, text: piece.arguments });
    }
  }

  #beginForced(name: string): void {
    this.#forcedName = name;
    this.#calls.add(0);
    this.#parts.push({ type: "tool_call", index: 0, id: this.#callId(), name });
  }

  /** A piece of a call that the model has made by itself, as the program has read it. */
  #call(call: Members, place: number): void {
    const index = typeof call["index"] === "number" ? call["index"] : place;
    const { name, arguments: text } = membersOf(call["function"]);
    if (!this.#calls.has(index)) {
      this.#calls.add(index);
      const id = typeof call["id"] === "string" ? call["id"] : this.#callId();
      this.#parts.push({ type: "tool_call", index, id, name: textOf(name) });
    }
    if (textOf(text) !== "") this.#parts.push({ type: "tool_arguments", index, text: textOf(text) });
  }

  #end(): void {
    this.#isOver = true;
    const reason = this.#reasonOf(this.#finish);
    if (reason === "stop" && !this.#hasStops) this.#plan.checkContent?.(this.#text);
    if (reason === "tool_calls" && this.#forced !== undefined) {
      this.#plan.checkArguments.get(this.#forcedName ?? "")?.(this.#forced.arguments);
    }
    this.#parts.push({ type: "end", reason });
  }

  #reasonOf(finish: string | undefined): FinishReason {
    switch (finish) {
      case "stop":
        return this.#calls.size > 0 ? "tool_calls" : "stop";
      case "length":
      case "tool_calls":
        return finish;
      default:
        throw new Error(`the program ended an answer by ${finish ?? "nothing"}`);
    }
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
