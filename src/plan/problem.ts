/** A plan cannot be made as asked. The message says what is wrong and what to do. */
export class PlanError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "PlanError";
  }
}
