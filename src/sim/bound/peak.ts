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

/** Each window costs more, and short ones say little: others are missed elsewhere. Around the best it is looked at closely. */
function peakWithMissed(models: Models, grid: Grid, missedMax: number): Peak {
  const look = ([start, end]: Ends, rounds: number): Peak => {
    const window = { fromMs: start * grid.stepMs, toMs: end * grid.stepMs };
    return peakIn(window, demandWithMissedMs(models, window.fromMs, window.toMs, missedMax, rounds));
  };
  let best: Ends | undefined;
  let peak = nothing;
  for (const start of startsOf(grid, 256)) {
    const ends = endsFrom(start, grid).filter(
      (end, index) => end === grid.end || (end - start >= 256 && index % 3 === 0),
    );
    for (const end of ends) {
      const found = look([start, end], 6);
      if (found.devices > peak.devices) [best, peak] = [[start, end], found];
    }
  }
  if (best === undefined) return peak;
  const closest = closestOf(best, (ends) => look(ends, 24).devices);
  return higher(peak, look(closest, 96));
}

/** Where a window begins and ends, in steps of the grid. */
type Ends = readonly [start: number, end: number];

/** Its ends are moved as long as that makes the demand higher, by smaller and smaller steps. */
function closestOf(from: Ends, demandOf: (ends: Ends) => number): Ends {
  let best = from;
  let demand = demandOf(best);
  for (let steps = 64; steps >= 4; steps /= 2) {
    for (const [byStart, byEnd] of sides) {
      const [start, end]: Ends = [best[0] + byStart * steps, best[1] + byEnd * steps];
      if (end <= start) continue;
      const other = demandOf([start, end]);
      if (other > demand) [best, demand] = [[start, end], other];
    }
  }
  return best;
}

const sides: readonly Ends[] = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];

const nothing: Peak = { window: { fromMs: 0, toMs: 0 }, demandMs: 0, devices: 0 };

function peakIn(window: Window, demandMs: number): Peak {
  return { window, demandMs, devices: demandMs / (window.toMs - window.fromMs) };
}

function higher(one: Peak, other: Peak): Peak {
  return other.devices > one.devices ? other : one;
}
