import { formatExact } from "../base/index.ts";

/** How much of a budget or a wallet is used; in units of 10^-18. */
export interface Level {
  readonly kind: "budget" | "wallet";
  readonly level: "organisation" | "project" | "key";
  readonly id: string;
  readonly name: string;
  /** What begins anew where this does: a month, a grant. */
  readonly occasion: string;
  readonly used: bigint;
  readonly limit: bigint;
  readonly currency: string;
}

/** Something to be told, unless it was told before. */
export interface Due {
  readonly kind: "budget" | "wallet" | "unrated" | "refused";
  readonly level: Level["level"];
  /** An id. */
  readonly scope: string;
  readonly name: string;
  readonly occasion: string;
  /** Percent; 0: there is none. */
  readonly threshold: number;
  readonly message: string;
}

/** What was told. */
export interface Alert extends Due {
  readonly number: number;
  readonly atMs: number;
}

/** The thresholds, in percent, that levels have reached. A limit of nothing is reached by being used, not by being there. */
export function crossed(levels: readonly Level[], thresholds: readonly number[]): readonly Due[] {
  return levels.flatMap((each) => {
    const { kind, level, id, name, occasion, used, limit, currency } = each;
    if (used <= 0n) return [];
    return thresholds
      .filter((threshold) => used * 100n >= limit * BigInt(threshold))
      .map((threshold): Due => {
        const what = kind === "budget" ? `monthly budget (${occasion})` : "wallet";
        const message = `${threshold} % of the ${what} of ${level} ${name} are used: ${formatExact(used)} of ${formatExact(limit)} ${currency}.`;
        return { kind, level, scope: id, name, occasion, threshold, message };
      });
  });
}

/** A hard limit that has refused something: told once for what begins anew, a month or a grant. In units of 10^-18. */
export function refusedDue(found: {
  readonly by: "budget" | "wallet";
  readonly level: Level["level"];
  readonly id: string;
  readonly name: string;
  readonly occasion: string;
  /** What the request could have cost, and what was left for it. */
  readonly bound: bigint;
  readonly left: bigint;
  readonly currency: string;
}): Due {
  const { by, level, id, name, occasion, bound, left, currency } = found;
  const what = by === "budget" ? `monthly budget (${occasion})` : "wallet";
  const message =
    `The ${what} of ${level} ${name} has refused a request for the first time: it could cost up to ${formatExact(bound)} ${currency}, ` +
    `and ${formatExact(left)} ${currency} are left for it.`;
  return { kind: "refused", level, scope: id, name, occasion: `${by} ${occasion}`, threshold: 0, message };
}

/** Usage that nobody is billed for until it is rated: told once for each reason, organisation and period of the price book. */
export function unratedDue(found: {
  readonly organisation: string;
  readonly name: string;
  readonly reason: string;
  readonly period: string;
  readonly events: number;
}): Due {
  const { organisation, name, reason, period, events } = found;
  const message = `Usage of organisation ${name} is unrated (${reason}; ${events} in ${period} so far): it is on no invoice until it is rated.`;
  return {
    kind: "unrated",
    level: "organisation",
    scope: organisation,
    name,
    occasion: `${period} ${reason}`,
    threshold: 0,
    message,
  };
}
