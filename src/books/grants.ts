import { fraction, type Fraction, type Grant, parseFraction, share } from "../ledger/index.ts";
import type { GrantRow } from "../store/index.ts";

const one = 10n ** 12n;

/** Units of 10^-12 as an exact number. */
export function exactly(units: bigint): Fraction {
  return fraction(units, one);
}

/**
 * A grant as it stands behind all that is closed: with that one's end it has lapsed, or rolled over. One that was taken back has nothing
 * left, and nothing was paid for it.
 */
export function grantAsOf(row: GrantRow, closedUntilMs: number | undefined): Grant {
  const { expiresMs, rollover, returned } = row;
  const hasEnded = expiresMs !== undefined && closedUntilMs !== undefined && expiresMs <= closedUntilMs;
  const later =
    rollover === undefined || expiresMs === undefined
      ? undefined
      : { most: exactly(rollover.most), forMs: rollover.untilMs - expiresMs };
  return {
    grant: row.id,
    credits: exactly(row.credits),
    left: exactly(row.credits - row.drawn - row.lapsed - returned),
    lapsed: exactly(row.lapsed + returned),
    paid: exactly(returned === 0n ? row.paid : 0n),
    priority: row.priority,
    fromMs: row.fromMs,
    expiresMs: hasEnded ? (rollover?.untilMs ?? expiresMs) : expiresMs,
    rollover: hasEnded ? undefined : later,
    breakage: share(parseFraction(row.breakagePercent)!),
  };
}
