/** One request of a workload: who asks which model for how much, and when. */
export interface WorkloadRequest {
  /** Milliseconds since the workload's beginning. */
  readonly atMs: number;
  readonly model: string;
  readonly tenant: string;
  /** At least one. */
  readonly inputTokens: number;
  /** At least one. */
  readonly outputTokens: number;
  /** One id for each block of 512 tokens of the prompt: equal leading ids = same prefix. Absent: nothing is known. */
  readonly prefix?: readonly number[];
}

export interface Workload {
  readonly name: string;
  /** In order of `atMs`. */
  readonly requests: readonly WorkloadRequest[];
  /** What was left out, mapped or assumed, in words for the report. */
  readonly notes: readonly string[];
}

/** A workload cannot be had as asked. The message says what is wrong and what to do. */
export class WorkloadError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "WorkloadError";
  }
}

/** A workload is held in memory as a whole, about 120 bytes a request. */
export const requestsMax = 10_000_000;

/** Refuses what would be too many requests before any of them is drawn. */
export function checkRequests(expected: number): void {
  if (Math.round(expected) <= requestsMax) return;
  throw new WorkloadError(
    `about ${formatCount(expected)} requests, but a workload holds ${formatCount(requestsMax)} at most: ` +
      "ask for fewer minutes, a lower rate or fewer seeds",
  );
}

/** Sorts in place. Requests of the same moment keep their order. */
export function sortByTime(requests: WorkloadRequest[]): WorkloadRequest[] {
  return requests.sort((a, b) => a.atMs - b.atMs);
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

/** At most `digits` significant digits, without an exponent where the number is of everyday size. */
export function formatNumber(value: number, digits = 4): string {
  return String(Number(value.toPrecision(digits)));
}
