/** Why a cloud does not come up, in words for the operator; thrown, so that what was started is stopped on the way. */
export class Failed extends Error {
  readonly next: string;
  constructor(message: string, next: string) {
    super(message);
    this.next = next;
  }
}
