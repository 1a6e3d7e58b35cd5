import { add, compare, divide, type Fraction, fraction, multiply, none, smaller, subtract } from "../book/fraction.ts";
import type { Grant } from "./grant.ts";

/** How much of what was paid for a grant is revenue by now, in the wallet's currency, and how much is still owed. */
export interface Recognition {
  /** For credits that were used: each at what it cost. */
  readonly ofUse: Fraction;
  /** For credits that nobody will use, as far as that follows from use and from what has lapsed. */
  readonly ofBreakage: Fraction;
  /** The contract liability that is left (IFRS 15.106; ASC 606-10-55-46). */
  readonly liability: Fraction;
}

/**
 * Revenue of a grant so far. Expected breakage is recognised in proportion to what is used (IFRS 15.B46, ASC
 * 606-10-55-48): of what was paid, the share that the used credits are of those that will be used. No more will be used than
 * is expected, and no more than can be: what has lapsed becomes revenue by that, and a grant that is over is revenue whole.
 * All of it is cumulative, so that what a period recognises is a difference, and an estimate that was wrong is made good by
 * the next one.
 */
export function recognised({ credits, left, lapsed, paid, breakage }: Grant): Recognition {
  const used = subtract(credits, add(left, lapsed));
  const expected = multiply(credits, subtract(fraction(1n), breakage));
  const toBeUsed = smaller(expected, add(used, left));
  // A grant of which more is used than was expected is revenue before it is used up: then it is simply over.
  const share = compare(toBeUsed, none) === 0 ? fraction(1n) : smaller(fraction(1n), divide(used, toBeUsed));
  const revenue = multiply(paid, share);
  const ofUse = smaller(revenue, multiply(paid, divide(used, credits)));
  return { ofUse, ofBreakage: subtract(revenue, ofUse), liability: subtract(paid, revenue) };
}
