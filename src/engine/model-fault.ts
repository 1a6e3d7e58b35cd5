/** A model that a host was to serve and cannot, because of what lies on its disk; for operators. */
export interface ModelFault {
  readonly model: string;
  /** Of the table of errors. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
}
