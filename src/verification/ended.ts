/** What ends a verification before its end: a verdict. */
export class Ended extends Error {
  readonly outcome: "invalid" | "unchecked";
  constructor(outcome: "invalid" | "unchecked", reason: string) {
    super(reason);
    this.outcome = outcome;
  }
}
