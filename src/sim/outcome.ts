import type { PoolRequest, RefusalReason } from "../pool/index.ts";

/** A request with what only the future knows: when it comes, and how long its answer will be. */
export interface SimulatedRequest extends PoolRequest {
  readonly atMs: number;
  readonly outputTokens: number;
}

/** What became of a request. Strict: one token behind its deadline, or a refusal, and it was missed. */
export class Outcome {
  readonly request: SimulatedRequest;
  firstTokenMs: number | undefined;
  lastTokenMs = 0;
  /** The most that a token was behind its deadline; negative: each was ahead. */
  lateByMs = -Infinity;
  refusal: RefusalReason | undefined;
  #isFinished = false;

  constructor(request: SimulatedRequest) {
    this.request = request;
  }

  get isOver(): boolean {
    return this.#isFinished || this.refusal !== undefined;
  }
  get isMet(): boolean {
    return this.#isFinished && this.lateByMs <= 1e-6;
  }
  get ttftMs(): number | undefined {
    return this.firstTokenMs === undefined ? undefined : this.firstTokenMs - this.request.atMs;
  }
  /** Mean time between tokens; undefined for an answer of one. */
  get tpotMs(): number | undefined {
    const { outputTokens } = this.request;
    if (!this.#isFinished || this.firstTokenMs === undefined || outputTokens < 2) return undefined;
    return (this.lastTokenMs - this.firstTokenMs) / (outputTokens - 1);
  }

  /**
   * Tokens number `from` to `from + tokens - 1`, the first and the last of them at these times. Between the two a step
   * takes no less than the one before it, so that no token between them is later than both against its deadline.
   */
  given(firstMs: number, lastMs: number, from: number, tokens: number): void {
    this.firstTokenMs ??= firstMs;
    this.lastTokenMs = lastMs;
    const { atMs, objective } = this.request;
    const dueMs = atMs + objective.ttftMs + from * objective.tpotMs;
    const late = Math.max(firstMs - dueMs, lastMs - dueMs - (tokens - 1) * objective.tpotMs);
    if (late > this.lateByMs) this.lateByMs = late;
  }

  finished(): void {
    this.#isFinished = true;
  }

  refused(reason: RefusalReason): void {
    this.refusal = reason;
  }
}
