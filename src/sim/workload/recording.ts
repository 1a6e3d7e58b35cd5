import { basename } from "node:path";
import { durationMsOf } from "./duration.ts";
import {
  checkRequests,
  formatCount,
  formatNumber,
  sortByTime,
  type Workload,
  WorkloadError,
  type WorkloadRequest,
} from "./workload.ts";

interface RecordingEnd {
  /** The file. */
  readonly path: string;
  /** What is later is left out. Absent: all is kept. */
  readonly minutes: number | undefined;
  /** Whether the workload begins with the first request, because the trace has dates and no beginning. */
  readonly fromFirst: boolean;
  readonly notes: readonly string[];
}

/** Collects the requests of a recorded trace, and tells in notes what had to be done to them. */
export class Recording {
  #requests: WorkloadRequest[] = [];
  #latestMs = -Infinity;
  #outOfOrder = 0;
  #lengthened = 0;

  /** Adds a request whose lengths may be 0: a workload's have one token at least. */
  add(request: WorkloadRequest): void {
    const { atMs, inputTokens, outputTokens } = request;
    if (atMs < this.#latestMs) this.#outOfOrder++;
    this.#latestMs = Math.max(this.#latestMs, atMs);
    if (inputTokens > 0 && outputTokens > 0) this.#requests.push(request);
    else {
      this.#lengthened++;
      this.#requests.push({
        ...request,
        inputTokens: Math.max(1, inputTokens),
        outputTokens: Math.max(1, outputTokens),
      });
    }
    checkRequests(this.#requests.length);
  }

  finish({ path, minutes, fromFirst, notes }: RecordingEnd): Workload {
    const sorted = sortByTime(this.#requests);
    const first = sorted[0];
    if (first === undefined) throw new WorkloadError(`${path}: the file has no requests`);
    const requests = fromFirst ? sorted.map((request) => ({ ...request, atMs: request.atMs - first.atMs })) : sorted;
    const said = [...notes];
    if (this.#outOfOrder > 0)
      said.push(`${formatCount(this.#outOfOrder)} rows were earlier than one before them: sorted`);
    if (this.#lengthened > 0)
      said.push(`${formatCount(this.#lengthened)} rows had no tokens in or out: one is assumed`);
    const name = basename(path);
    if (minutes === undefined) return { name, requests, notes: said };
    return { name, requests: cut(path, requests, minutes, said), notes: said };
  }
}

function cut(
  path: string,
  requests: readonly WorkloadRequest[],
  minutes: number,
  notes: string[],
): readonly WorkloadRequest[] {
  const endMs = durationMsOf(minutes);
  const kept = requests.filter(({ atMs }) => atMs < endMs);
  const traceMinutes = formatNumber(requests.at(-1)!.atMs / 60_000);
  if (kept.length === 0) {
    const beginsMinutes = formatNumber(requests[0]!.atMs / 60_000);
    throw new WorkloadError(
      `${path}: its first request comes after ${beginsMinutes} minutes; ask for more than ${minutes}`,
    );
  }
  if (kept.length < requests.length) {
    const left = formatCount(requests.length - kept.length);
    notes.push(`cut after ${minutes} minutes: ${left} of ${formatCount(requests.length)} requests are left out`);
  } else notes.push(`all requests: the last comes after ${traceMinutes} of the ${minutes} minutes`);
  return kept;
}
