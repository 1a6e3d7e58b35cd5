import { type Fraction, none, subtract } from "../book/fraction.ts";
import { balanceAt, draw, expire, type Grant } from "./grant.ts";

/** What a period that is open has come to so far. */
export interface OpenPeriod {
  readonly endMs: number;
  readonly unbilled: Fraction;
}

/** What becomes of a wallet once every open period is paid as it stands, in the order in which they will close. */
export interface Foreseen {
  /** As they then are. */
  readonly grants: readonly Grant[];
  /** What it can still pay for. Below 0: so much of the last period has nobody's credits. */
  readonly available: Fraction;
}

/** What a wallet can still pay for at a moment, and what of it is used or has lapsed by then. */
export function foreseenAt(grants: readonly Grant[], open: readonly OpenPeriod[], atMs: number): Foreseen {
  let left = grants;
  let missing = none;
  for (const { endMs, unbilled } of open.toSorted((a, b) => a.endMs - b.endMs)) {
    const paid = draw(expire(left, endMs - 1).grants, unbilled, endMs - 1);
    left = paid.grants;
    // What is missing of a period that is over becomes a receivable, and no later grant pays for it.
    missing = endMs > atMs ? paid.missing : none;
  }
  const after = expire(left, atMs).grants;
  return { grants: after, available: subtract(balanceAt(after, atMs), missing) };
}
