import type { Said } from "./said.ts";
import type { ReadUsage } from "./usage.ts";

/** How the answers of an endpoint are read. */
export interface AnswerForm {
  /** The endpoint's name and the form's number: it changes when what counts as said changes. */
  readonly name: string;
  /** What a whole answer says. */
  readonly whole: (answer: Said) => Said;
  /** How a stream says that it is complete: texts of which its last frame holds one. */
  readonly lastFrames: readonly string[];
  /** Undefined: this endpoint has no streams. */
  readonly assemble: (() => Assembly) | undefined;
  /** Where the usage stands in a whole answer, and how it is read. */
  readonly usageIn: (answer: Said) => unknown;
  readonly usage: ReadUsage;
}

/** The one thing that an event says, and the member that it stands in. */
export interface SaidText {
  readonly name: string;
  readonly text: string;
}

/** A stream's events on the way to what a whole answer would have said. */
export interface Assembly {
  take(event: Said): void;
  /** Undefined: the events do not make an answer. */
  said(): Said | undefined;
  /** What an event says that was just taken, where it is a text of the first choice and nothing else. */
  textOf?(event: Said): SaidText | undefined;
  /** The same event as that one once more, with another text. */
  takeText?(text: string): void;
}
