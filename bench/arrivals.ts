/**
 * When the requests of an open-loop round are due. The schedule is fixed before the round starts, so that a slow answer
 * cannot delay a later request, and it is seeded, so that every target of a round is asked at the same moments.
 */
export interface Arrivals {
  readonly pattern: "poisson" | "constant";
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly seed: number;
}

/** Milliseconds from the start of the round, ascending, all below `durationMs`. */
export function arrivalTimesMs({ pattern, ratePerSecond, durationMs, seed }: Arrivals): number[] {
  const intervalMs = 1000 / ratePerSecond;
  const random = uniform(seed);
  const times: number[] = [];
  if (pattern === "constant") {
    for (let index = 0; index * intervalMs < durationMs; index += 1) times.push(index * intervalMs);
    return times;
  }
  // Gaps of a Poisson process are exponential: -ln(1 - U) / rate, with U in [0, 1).
  for (let atMs = gap(); atMs < durationMs; atMs += gap()) times.push(atMs);
  return times;

  function gap(): number {
    return -Math.log(1 - random()) * intervalMs;
  }
}

/** Uniform numbers in [0, 1), the same ones for the same seed (Marsaglia's xorshift32, 2003, triple 13, 17, 5). */
function uniform(seed: number): () => number {
  // A state of zero would stay zero; the multiplication spreads small seeds over all bits.
  let state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
