import type { CallFormat } from "./call-format.ts";
import { JsonEnd } from "./json-end.ts";
import { unsure } from "./stop-strings.ts";

/** What a model's text turns out to be, in order. */
export type CallEvent =
  | { readonly kind: "text"; readonly text: string }
  /** A call begins. `rest` is what the model has written of it so far, after its opening. */
  | { readonly kind: "opened"; readonly rest: string }
  | { readonly kind: "named"; readonly index: number; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string }
  /** A call's arguments are complete, as JSON text. */
  | { readonly kind: "called"; readonly name: string; readonly arguments: string }
  /** After its calls the model writes something else: the answer is over. */
  | { readonly kind: "over" };

/** Calls of one answer; more are not read. */
const maxCalls = 16;

type State = "text" | "name" | "arguments" | "between" | "over";

/**
 * Reads tool calls out of a model's text, in the format of its template: an opening, the name, the arguments as JSON, a
 * closing. A call to a tool that was not offered is text.
 */
export class ToolCallReader {
  readonly #format: CallFormat;
  readonly #names: readonly string[];
  readonly #mayRepeat: boolean;
  #state: State = "text";
  #text = "";
  #opening = "";
  #name = "";
  #arguments = "";
  #end = new JsonEnd();
  #calls = 0;
  #events: CallEvent[] = [];

  /** `forced`: the prompt already holds the opening, and, where there is one tool only, its name. */
  constructor(
    format: CallFormat,
    names: readonly string[],
    options: { readonly mayRepeat: boolean; readonly forced: boolean },
  ) {
    this.#format = format;
    this.#names = names;
    this.#mayRepeat = options.mayRepeat;
    if (!options.forced) return;
    this.#state = "name";
    if (names.length === 1) this.#begin(names[0]!);
  }

  get calls(): number {
    return this.#calls;
  }

  /** Whether a call is being written, from its opening to the end of its arguments. */
  get isCalling(): boolean {
    return this.#state === "name" || this.#state === "arguments";
  }

  push(text: string): readonly CallEvent[] {
    this.#text += text;
    let before: State | undefined;
    while (before !== this.#state || this.#text !== text) {
      before = this.#state;
      text = this.#text;
      this.#step();
    }
    return this.#taken();
  }

  /** What was held back, at the end of the answer. */
  finish(): readonly CallEvent[] {
    if (this.#state === "text" && this.#text !== "") this.#events.push({ kind: "text", text: this.#text });
    // A call that did not get as far as its name was none.
    if (this.#state === "name" && this.#calls === 0) {
      this.#events.push({ kind: "text", text: this.#opening + this.#text });
    }
    this.#text = "";
    return this.#taken();
  }

  #taken(): readonly CallEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #step(): void {
    switch (this.#state) {
      case "text":
        return this.#readText();
      case "name":
        return this.#readName();
      case "arguments":
        return this.#readArguments();
      case "between":
        return this.#readBetween();
      default:
        this.#text = "";
    }
  }

  #readText(): void {
    const found = firstOpening(this.#format.openings, this.#text);
    const certain = found?.at ?? this.#text.length - unsure(this.#format.openings, this.#text);
    if (certain > 0) this.#events.push({ kind: "text", text: this.#text.slice(0, certain) });
    this.#text = this.#text.slice(certain);
    if (found === undefined || mayGrow(this.#format.openings, this.#text)) return;
    this.#open(found.opening);
  }

  #open(opening: string): void {
    this.#opening = opening;
    this.#text = this.#text.slice(opening.length);
    this.#state = "name";
    this.#events.push({ kind: "opened", rest: this.#text });
  }

  #readName(): void {
    for (const name of this.#names) {
      const head = name + this.#format.afterName(name);
      if (!this.#text.startsWith(head)) continue;
      this.#text = this.#text.slice(head.length);
      return this.#begin(name);
    }
    const isPossible = this.#names.some((name) => (name + this.#format.afterName(name)).startsWith(this.#text));
    if (isPossible) return;
    if (this.#calls > 0) return this.#finishCalls();
    this.#events.push({ kind: "text", text: this.#opening });
    this.#state = "text";
  }

  #begin(name: string): void {
    this.#name = name;
    this.#arguments = "";
    this.#end = new JsonEnd();
    this.#state = "arguments";
    this.#events.push({ kind: "named", index: this.#calls++, name });
  }

  #readArguments(): void {
    if (this.#arguments === "") this.#text = this.#text.trimStart();
    if (this.#text === "") return;
    const end = this.#end.push(this.#text);
    const text = this.#text.slice(0, end);
    this.#text = this.#text.slice(text.length);
    this.#arguments += text;
    this.#events.push({ kind: "arguments", index: this.#calls - 1, text });
    if (end === undefined) return;
    this.#events.push({ kind: "called", name: this.#name, arguments: this.#arguments });
    if (this.#mayRepeat && this.#calls < maxCalls) this.#state = "between";
    else this.#finishCalls();
  }

  /** Between two calls: the first one's closing, white space, and the next one's opening. */
  #readBetween(): void {
    const closing = this.#format.afterArguments(this.#name).trim();
    const text = this.#text.trimStart();
    if (text.length < closing.length && closing.startsWith(text)) return;
    const next = (text.startsWith(closing) ? text.slice(closing.length) : text).trimStart();
    if (next === "" || mayGrow(this.#format.openings, next)) return;
    const opening = this.#format.openings.find((one) => next.startsWith(one));
    if (opening === undefined) return this.#finishCalls();
    this.#text = next;
    this.#open(opening);
  }

  #finishCalls(): void {
    this.#state = "over";
    this.#events.push({ kind: "over" });
  }
}

function firstOpening(
  openings: readonly string[],
  text: string,
): { readonly at: number; readonly opening: string } | undefined {
  let first: { readonly at: number; readonly opening: string } | undefined;
  // The longest come first, so that of two at one place the longer is taken.
  for (const opening of openings) {
    const at = text.indexOf(opening);
    if (at >= 0 && (first === undefined || at < first.at)) first = { at, opening };
  }
  return first;
}

/** Whether more text may make a longer opening of this. */
function mayGrow(openings: readonly string[], text: string): boolean {
  return openings.some((opening) => opening.length > text.length && opening.startsWith(text));
}
