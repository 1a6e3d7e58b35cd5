/** The report cannot be made as it was asked for. The message says what to do instead. */
export class ReportError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ReportError";
  }
}
