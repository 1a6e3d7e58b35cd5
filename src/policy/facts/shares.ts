/** A part of a whole, exactly: numerator / 10^decimals. */
export interface Share {
  readonly numerator: bigint;
  readonly decimals: number;
}

export const nothing: Share = { numerator: 0n, decimals: 0 };
export const whole: Share = { numerator: 1n, decimals: 0 };

/** "24.1" -> 0.241. */
export function shareOf(percent: string): Share {
  const [units = "", fraction = ""] = percent.split(".");
  return { numerator: BigInt(units + fraction), decimals: fraction.length + 2 };
}

/** A holding through a holding. */
export function times(a: Share, b: Share): Share {
  return { numerator: a.numerator * b.numerator, decimals: a.decimals + b.decimals };
}

export function plus(a: Share, b: Share): Share {
  const decimals = Math.max(a.decimals, b.decimals);
  return { numerator: scaled(a, decimals) + scaled(b, decimals), decimals };
}

export function minus(a: Share, b: Share): Share {
  return plus(a, { numerator: -b.numerator, decimals: b.decimals });
}

export function isMore(a: Share, b: Share): boolean {
  return minus(a, b).numerator > 0n;
}

export function largest(shares: Iterable<Share>): Share {
  let found = nothing;
  for (const share of shares) if (isMore(share, found)) found = share;
  return found;
}

const percentDecimals = 4;

/** As a percentage with one to four decimals ("24.0"), rounded up: no limit is kept by rounding. */
export function percentText(share: Share): string {
  const decimals = percentDecimals + 2;
  const unit = 10n ** BigInt(Math.max(share.decimals - decimals, 0));
  const rounded = (scaled(share, Math.max(share.decimals, decimals)) + unit - 1n) / unit;
  const digits = rounded.toString().padStart(percentDecimals + 1, "0");
  const fraction = digits.slice(-percentDecimals).replace(/0+$/, "");
  return `${digits.slice(0, -percentDecimals)}.${fraction === "" ? "0" : fraction}`;
}

function scaled({ numerator, decimals }: Share, to: number): bigint {
  return numerator * 10n ** BigInt(to - decimals);
}
