/** What is known of a place where a request could run. */
export interface Outlook {
  /** Until it would have its first token, as the place has last said; undefined: it does not say. */
  readonly firstTokenMs: number | undefined;
  /** Requests that were sent there and have not ended. */
  readonly running: number;
}

/**
 * The upper level, over places that decide about their own turns (hosts, and servers that tell nothing): where the first
 * token comes first. What was sent since a place has last told of itself, and to one that tells nothing, counts by the
 * number of requests that run there. Undefined where there is none.
 */
export function quickest<Place>(places: readonly Place[], outlookOf: (place: Place) => Outlook): Place | undefined {
  let best: Place | undefined;
  let bestOutlook: Outlook | undefined;
  for (const place of places) {
    const outlook = outlookOf(place);
    if (bestOutlook !== undefined && !isAhead(outlook, bestOutlook)) continue;
    [best, bestOutlook] = [place, outlook];
  }
  return best;
}

/**
 * Whether a place that knows the prompt's beginning is worth it, although another one is quicker: the first token comes at most
 * `mayWaitMs` later, and it does not have twice as much to do. What it saves is not known here.
 */
export function isWorthIt(familiar: Outlook, best: Outlook, mayWaitMs: number): boolean {
  const laterMs = (familiar.firstTokenMs ?? 0) - (best.firstTokenMs ?? 0);
  return laterMs <= mayWaitMs && familiar.running <= 2 * best.running + runningSpare;
}

/** So many more are no burden, where the other has nothing to do. */
const runningSpare = 4;

/** Less than this between two predictions says nothing. */
const noiseMs = 100;

function isAhead(one: Outlook, other: Outlook): boolean {
  const differenceMs = (one.firstTokenMs ?? 0) - (other.firstTokenMs ?? 0);
  if (Math.abs(differenceMs) > noiseMs) return differenceMs < 0;
  return one.running < other.running;
}
