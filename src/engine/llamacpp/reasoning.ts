import type { ReasoningMarks } from "./prompt.ts";

/** Counts the tokens of an answer's reasoning: those from its opening to its closing mark, both included. */
export class ReasoningMeter {
  readonly #marks: ReasoningMarks | undefined;
  #state: "before" | "inside" | "after";
  #text = "";
  #tokens = 0;

  constructor(marks: ReasoningMarks | undefined) {
    this.#marks = marks;
    this.#state = marks === undefined ? "after" : marks.opening === "" ? "inside" : "before";
  }

  get tokens(): number {
    return this.#state === "before" ? 0 : this.#tokens;
  }

  /** `text`: what the answer's next token stands for. */
  push(text: string): void {
    if (this.#state === "after" || this.#marks === undefined) return;
    const { opening, closing } = this.#marks;
    this.#tokens++;
    this.#text += text;
    if (this.#state === "before") {
      const start = this.#text.trimStart();
      if (start.startsWith(opening)) this.#state = "inside";
      else if (!opening.startsWith(start)) {
        this.#state = "after";
        this.#tokens = 0;
      }
    }
    if (this.#state === "inside") {
      if (this.#text.includes(closing)) this.#state = "after";
      else this.#text = this.#text.slice(-(closing.length - 1 + opening.length));
    }
  }
}
