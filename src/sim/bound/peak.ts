import type { Chain } from "./chain.ts";
import { demandsMs } from "./demand.ts";
import { demandWithMissedMs } from "./missed.ts";
import { endsFrom, type Grid, gridOver, startsOf } from "./windows.ts";

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The window that asks for the most work in its time. */
export interface Peak {
  readonly window: Window;
  readonly demandMs: number;
  /** Devices that would have to be busy all the time. */
  readonly devices: number;
}

type Models = readonly (readonly Chain[])[];

/** `models` are the chains of each, at least one in all; any `missedMax` requests may be missed. */
export function findPeak(models: Models, missedMax: number): Peak {
  const sorted = models.map((chains) => chains.toSorted((a, b) => a.atMs - b.atMs));
  const grid = gridOver(sorted.flat());
  return missedMax > 0 ? peakWithMissed(sorted, grid, missedMax) : peakOfAll(sorted, grid);
}

function peakOfAll(models: Models, grid: Grid): Peak {
  let peak = nothing;
  for (const start of startsOf(grid, 4)) {
    const fromMs = start * grid.stepMs;
    const endsMs = endsFrom(start, grid).map((end) => end * grid.stepMs);
    const demands = demandsMs(models, fromMs, endsMs);
    for (const [index, toMs] of endsMs.entries()) peak = higher(peak, peakIn({ fromMs, toMs }, demands[index]!));
  }
  return peak;
}

/** Each window costs more, and short ones say little: others are missed elsewhere. The best is looked at closely. */
function peakWithMissed(models: Models, grid: Grid, missedMax: number): Peak {
  const look = (window: Window, rounds: number): Peak =>
    peakIn(window, demandWithMissedMs(models, window.fromMs, window.toMs, missedMax, rounds));
  let peak = nothing;
  for (const start of startsOf(grid, 256)) {
    const ends = endsFrom(start, grid).filter(
      (end, index) => end === grid.end || (end - start >= 256 && index % 3 === 0),
    );
    for (const end of ends) {
      peak = higher(peak, look({ fromMs: start * grid.stepMs, toMs: end * grid.stepMs }, 6));
    }
  }
  return peak === nothing ? peak : higher(peak, look(peak.window, 96));
}

const nothing: Peak = { window: { fromMs: 0, toMs: 0 }, demandMs: 0, devices: 0 };

function peakIn(window: Window, demandMs: number): Peak {
  return { window, demandMs, devices: demandMs / (window.toMs - window.fromMs) };
}

function higher(one: Peak, other: Peak): Peak {
  return other.devices > one.devices ? other : one;
}
