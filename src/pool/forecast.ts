import type { PoolRequest } from "./types.ts";

/** A model that was asked nothing for so long begins anew when it is asked again. */
const quietMs = 60_000;
/** So many beginnings, at the same distances, are no chance. */
const beginningsMin = 4;
/** How far distances may be from their mean, as a share of it. */
const deviationMax = 0.05;
/** Longer ones are not waited for. */
const periodMaxMs = 7 * 86_400_000;

/** When a model was asked, as far as it matters. */
interface Demand {
  lastMs: number;
  /** The times at which it was asked after a pause, the latest last. */
  readonly beginnings: number[];
}

/** A model that is asked again between two times, as it was before. */
interface Expected {
  /** What it was asked by when it last began. */
  readonly request: PoolRequest;
  /** When its weights have to be on their way. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Rule 9 (see pool.ts): who asks at regular times, as schedules do, asks again at the next. Four beginnings at the same
 * distance say so; it is forgotten as soon as one does not come.
 */
export class Forecast {
  readonly #demands = new Map<string, Demand>();
  readonly #expected = new Map<string, Expected>();
  /** The earliest `fromMs`, or before. */
  #firstMs = Infinity;

  /** `leadOf`: how long before it is asked its copy has to begin; undefined: it need not be there before. */
  arrived(request: PoolRequest, nowMs: number, leadOf: () => number | undefined): void {
    const demand = this.#demands.get(request.model) ?? { lastMs: -Infinity, beginnings: [] };
    this.#demands.set(request.model, demand);
    const isBeginning = nowMs - demand.lastMs >= quietMs;
    demand.lastMs = nowMs;
    if (!isBeginning) return;
    this.#expected.delete(request.model);
    demand.beginnings.push(nowMs);
    if (demand.beginnings.length < beginningsMin) return;
    const found = regular(demand.beginnings);
    demand.beginnings.shift();
    const leadMs = found && leadOf();
    if (found === undefined || leadMs === undefined) return;
    const nextMs = nowMs + found.periodMs;
    const fromMs = nextMs - found.spreadMs - leadMs;
    const untilMs = nextMs + Math.min(quietMs, deviationMax * found.periodMs);
    this.#expected.set(request.model, { request, fromMs, untilMs });
    this.#firstMs = Math.min(this.#firstMs, fromMs);
  }

  /** What has to be there now, by what it was last asked. */
  *due(nowMs: number): Iterable<PoolRequest> {
    if (nowMs < this.#firstMs) return;
    this.#firstMs = Infinity;
    for (const [model, { request, fromMs, untilMs }] of this.#expected) {
      if (untilMs < nowMs) {
        this.#expected.delete(model);
        continue;
      }
      this.#firstMs = Math.min(this.#firstMs, fromMs);
      if (fromMs <= nowMs) yield request;
    }
  }

  /** When something next has to be on its way, or is to be forgotten; Infinity: nothing is expected. */
  nextMs(nowMs: number): number {
    let nextMs = Infinity;
    if (this.#firstMs > nowMs) return this.#firstMs;
    for (const { fromMs, untilMs } of this.#expected.values()) {
      nextMs = Math.min(nextMs, fromMs > nowMs ? fromMs : untilMs + 1);
    }
    return nextMs;
  }
}

/** The distance from one time to the next where it is always about the same, and by how much the distances differ. */
function regular(times: readonly number[]): { readonly periodMs: number; readonly spreadMs: number } | undefined {
  const gapsMs = times.slice(1).map((time, index) => time - times[index]!);
  const periodMs = (times.at(-1)! - times[0]!) / gapsMs.length;
  if (periodMs > periodMaxMs) return undefined;
  if (gapsMs.some((gapMs) => Math.abs(gapMs - periodMs) > deviationMax * periodMs)) return undefined;
  return { periodMs, spreadMs: Math.max(...gapsMs) - Math.min(...gapsMs) };
}
