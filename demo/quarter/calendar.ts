/** A calendar quarter in UTC. */
export interface Quarter {
  /** "2026Q3" */
  readonly name: string;
  /** "2026-07", and the two behind it. */
  readonly months: readonly [string, string, string];
  /** Those months of the year before. */
  readonly yearBefore: readonly [string, string, string];
  /** From the first of those up to the quarter, in their order. */
  readonly until: readonly string[];
  readonly startMs: number;
  /** Excluded. */
  readonly endMs: number;
}

/** The newest quarter that is over at a moment. */
export function quarterBefore(atMs: number): Quarter {
  const now = new Date(atMs);
  const first = now.getUTCMonth() - (now.getUTCMonth() % 3) - 3;
  const startMs = Date.UTC(now.getUTCFullYear(), first);
  const month = (at: number): string => new Date(Date.UTC(now.getUTCFullYear(), first + at)).toISOString().slice(0, 7);
  const year = new Date(startMs).getUTCFullYear();
  const number = new Date(startMs).getUTCMonth() / 3 + 1;
  return {
    name: `${year}Q${number}`,
    months: [month(0), month(1), month(2)],
    yearBefore: [month(-12), month(-11), month(-10)],
    until: Array.from({ length: 12 }, (_each, at) => month(at - 12)),
    startMs,
    endMs: Date.UTC(now.getUTCFullYear(), first + 3),
  };
}
