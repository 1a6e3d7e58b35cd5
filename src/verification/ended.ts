/** What ends a verification before its end: a verdict. */
export class Ended extends Error {
  readonly outcome: "invalid" | "unchecked";
  readonly isFork: boolean;
  constructor(outcome: "invalid" | "unchecked", reason: string, isFork = false) {
    super(reason);
    this.outcome = outcome;
    this.isFork = isFork;
  }
}
