/** Below it the series is not exact enough. */
const seriesFrom = 8;

/**
 * The natural logarithm of the gamma function for `value` > 0, to about 11 digits: Stirling's series (NIST Digital
 * Library of Mathematical Functions, 5.11.1), after Γ(z + 1) = z Γ(z) (5.5.1) has led to where it is exact.
 */
export function logGamma(value: number): number {
  let at = value;
  let below = 0;
  while (at < seriesFrom) below += Math.log(at++);
  const square = at * at;
  const tail = (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * square)) / square) / square) / at;
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + tail - below;
}
