import { type Clock, type Ending, refuse, type Refusal, type RequestId, type Usage, zeroUsage } from "../base/index.ts";
import type { Sequence } from "../engine/index.ts";
import { acknowledgedLine, ProgressFile, progressLine, type ProgressRecord } from "./progress.ts";
import type { HostCounts } from "./protocol.ts";

/** Nobody asks for counts as old as this any more: a gateway settles what is open when it starts. */
const forgottenAfterMs = 7 * 24 * 3_600_000;

/** The tokens of one running request, by the engine's own counts, over all its sequences. */
export class Tally {
  readonly request: RequestId;
  readonly #moved: ((tally: Tally) => void) | undefined;
  readonly #sequences: { readonly sequence: Sequence; readonly countsInput: boolean }[] = [];
  #ending: Ending | undefined;

  /** `moved`: where the counts are kept; undefined: nobody will ask for them. */
  constructor(request: RequestId, moved: ((tally: Tally) => void) | undefined) {
    this.request = request;
    this.#moved = moved;
  }

  /** A prompt that is answered several times counts its input once, as OpenAI does. */
  add(sequence: Sequence, countsInput: boolean): void {
    this.#sequences.push({ sequence, countsInput });
    this.moved();
  }

  /** A step was computed. */
  moved(): void {
    this.#moved?.(this);
  }

  end(ending: Ending): void {
    this.#ending = ending;
    this.moved();
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  get usage(): Usage {
    let { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = zeroUsage;
    for (const { sequence, countsInput } of this.#sequences) {
      const counts = sequence.counts();
      if (countsInput) {
        inputTokens += counts.inputTokens;
        cachedInputTokens += counts.cachedInputTokens;
      }
      outputTokens += counts.outputTokens;
      reasoningTokens += counts.reasoningTokens;
    }
    return { inputTokens, cachedInputTokens, outputTokens, reasoningTokens };
  }
}

interface Kept extends ProgressRecord {
  readonly endedAtMs: number;
}

export interface TalliesOptions {
  readonly clock: Clock;
  readonly folder: string;
  readonly boot: string;
  readonly progressBytes: number;
  readonly unacknowledged: number;
  /** Calls `record` before anything of this step reaches a client. */
  readonly schedule: () => void;
  readonly onFailure: (error: unknown) => void;
}

/** The counts of every request from its begin until its settlement is acknowledged, over crashes of this process. */
export class Tallies {
  readonly #options: TalliesOptions;
  readonly #running = new Map<RequestId, Tally>();
  readonly #ended = new Map<RequestId, Kept>();
  readonly #waiting = new Map<RequestId, Set<() => void>>();
  readonly #movedNow = new Set<Tally>();
  readonly #file: ProgressFile;
  #acknowledgedNow = "";
  /** Why the file cannot be written at the moment. */
  #failure: { readonly code: string | undefined } | undefined;

  constructor(options: TalliesOptions) {
    this.#options = options;
    const nowMs = options.clock.nowMs();
    for (const record of ProgressFile.found(options.folder).values()) {
      // What had not ended when its process did ended with it.
      this.#ended.set(record.request, { ...record, ending: record.ending ?? "error", endedAtMs: nowMs });
    }
    this.#file = ProgressFile.begin(options.folder, options.boot, {
      maxBytes: options.progressBytes,
      live: () => this.#live(),
    });
  }

  /**
   * Begins to count a request. `byGateway`: somebody will ask for the counts and acknowledge them. `isAgain`: what an ended
   * process counted of it counts no more, because nobody has seen it.
   */
  begin(
    request: RequestId,
    { byGateway, isAgain }: { readonly byGateway: boolean; readonly isAgain: boolean },
  ): Tally | Refusal {
    if (!byGateway) return new Tally(request, undefined);
    if (isAgain && this.#ended.get(request)?.ending === "error") this.#ended.delete(request);
    if (this.#failure !== undefined) return cannotRecord(this.#failure.code);
    if (this.#running.has(request) || this.#ended.has(request)) {
      return refuse("invalid_request", `${request} was used before.`, { param: "bailiwick-request" });
    }
    if (this.#running.size + this.#ended.size >= this.#options.unacknowledged && !this.#forgetOldest()) {
      return refuse("overloaded", "Too many settlements are unacknowledged.", { retryAfterSeconds: 1 });
    }
    const tally = new Tally(request, (moved) => this.#note(moved));
    this.#running.set(request, tally);
    return tally;
  }

  /** Drops a request that was refused before anything was computed: its refusal says all there is to know. */
  forget(tally: Tally): void {
    this.#movedNow.delete(tally);
    this.#running.delete(tally.request);
    this.#acknowledgedNow += acknowledgedLine(tally.request);
    this.#options.schedule();
    this.#wake(tally.request);
  }

  /** The counts once the request has ended; undefined: unknown here; "running": it has not ended within the time. */
  async counts(request: RequestId, waitMs: number): Promise<HostCounts | "running" | undefined> {
    if (this.#running.has(request)) await this.#ending(request, waitMs);
    if (this.#running.has(request)) return "running";
    const kept = this.#ended.get(request);
    return kept === undefined ? undefined : { request, usage: kept.usage, ending: kept.ending! };
  }

  acknowledge(requests: readonly RequestId[]): void {
    for (const request of requests) {
      if (this.#ended.delete(request)) this.#acknowledgedNow += acknowledgedLine(request);
    }
    if (this.#acknowledgedNow !== "") this.#options.schedule();
  }

  /** Hands the kernel what has changed since the last time, in one write. */
  record(): void {
    let lines = this.#acknowledgedNow;
    const ended: Tally[] = [];
    for (const tally of this.#movedNow) {
      const { request, usage, ending } = tally;
      lines += progressLine({ request, usage, ending });
      if (ending === undefined) continue;
      this.#running.delete(request);
      this.#ended.set(request, { request, usage, ending, endedAtMs: this.#options.clock.nowMs() });
      ended.push(tally);
    }
    this.#acknowledgedNow = "";
    this.#movedNow.clear();
    if (lines !== "") this.#append(lines);
    for (const { request } of ended) this.#wake(request);
  }

  /** Tries again where the disk took no more. Until it does, no new request is counted. */
  sweep(): void {
    if (this.#failure === undefined) return;
    try {
      this.#file.renew();
      this.#failure = undefined;
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  close(): void {
    this.record();
    this.#file.close();
  }

  #note(tally: Tally): void {
    this.#movedNow.add(tally);
    this.#options.schedule();
  }

  #append(lines: string): void {
    // What a failing file lacks is in memory, and `sweep` writes it all as soon as the disk lets it.
    if (this.#failure !== undefined) return;
    try {
      this.#file.append(lines);
    } catch (error) {
      this.#failure = { code: (error as NodeJS.ErrnoException).code };
      this.#options.onFailure(error);
    }
  }

  *#live(): Iterable<ProgressRecord> {
    yield* this.#ended.values();
    yield* this.#running.values();
  }

  /** Makes room by the oldest ended request, where it is too old to matter. */
  #forgetOldest(): boolean {
    for (const { request, endedAtMs } of this.#ended.values()) {
      if (this.#options.clock.nowMs() - endedAtMs < forgottenAfterMs) return false;
      this.acknowledge([request]);
      return true;
    }
    return false;
  }

  #ending(request: RequestId, waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(request) ?? new Set();
      this.#waiting.set(request, waiting);
      const done = (): void => {
        cancel();
        waiting.delete(done);
        if (waiting.size === 0) this.#waiting.delete(request);
        resolve();
      };
      const cancel = this.#options.clock.after(waitMs, done);
      waiting.add(done);
    });
  }

  #wake(request: RequestId): void {
    for (const done of this.#waiting.get(request) ?? []) done();
  }
}

function cannotRecord(code: string | undefined): Refusal {
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const message = `The host cannot write down what requests use: ${isFull ? "the disk is full" : (code ?? "see its log")}.`;
  return refuse(isFull ? "journal_full" : "engine_unavailable", message, { retryAfterSeconds: 1 });
}
