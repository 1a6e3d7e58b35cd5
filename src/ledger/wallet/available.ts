import { type Fraction, none, subtract } from "../book/fraction.ts";
import { balanceAt, draw, expire, type Grant } from "./grant.ts";

/** What a period that is open has come to so far. */
export interface OpenPeriod {
  readonly endMs: number;
  readonly unbilled: Fraction;
}

/**
 * What a wallet can still pay for at a moment: what its grants have left once every open period is paid as it stands, in the
 * order in which they will close. Below 0: so much of the last one has nobody's credits.
 */
export function availableAt(grants: readonly Grant[], open: readonly OpenPeriod[], atMs: number): Fraction {
  let left = grants;
  let missing = none;
  for (const { endMs, unbilled } of open.toSorted((a, b) => a.endMs - b.endMs)) {
    const paid = draw(expire(left, endMs - 1).grants, unbilled, endMs - 1);
    left = paid.grants;
    // What is missing of a period that is over becomes a receivable, and no later grant pays for it.
    missing = endMs > atMs ? paid.missing : none;
  }
  return subtract(balanceAt(expire(left, atMs).grants, atMs), missing);
}
