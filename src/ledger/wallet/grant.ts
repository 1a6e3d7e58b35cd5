import { add, compare, type Fraction, none, smaller, subtract, total } from "../book/fraction.ts";

/** Credits that a customer holds in a wallet: bought, or given. One credit pays for one unit of the wallet's currency. */
export interface Grant {
  readonly grant: string;
  /** How many credits it began with: above 0. */
  readonly credits: Fraction;
  /** What can still be used of them. */
  readonly left: Fraction;
  /** What has lapsed of them: the rest was used. */
  readonly lapsed: Fraction;
  /** What was paid for them, in the wallet's currency; 0: a gift, whose use is no revenue. */
  readonly paid: Fraction;
  /** The lower, the sooner it is drawn from. */
  readonly priority: number;
  readonly fromMs: number;
  /** The first moment at which it is worth nothing; undefined: never. */
  readonly expiresMs: number | undefined;
  /** When it expires, at most so many credits stay for so much longer, once; undefined: none does. */
  readonly rollover: { readonly most: Fraction; readonly forMs: number } | undefined;
  /** The share of the credits that is expected never to be used: from 0, below 1. */
  readonly breakage: Fraction;
}

/** What one grant gave. */
export interface Drawn {
  readonly grant: string;
  readonly credits: Fraction;
}

export interface Draw {
  /** In the order in which they were drawn from. */
  readonly drawn: readonly Drawn[];
  readonly grants: readonly Grant[];
  /** What nobody's credits paid for. */
  readonly missing: Fraction;
}

/** What a wallet can pay for at a moment. */
export function balanceAt(grants: readonly Grant[], atMs: number): Fraction {
  return total(grants.filter((grant) => holds(grant, atMs)).map(({ left }) => left));
}

/**
 * Takes credits from the grants that hold at a moment: those of the lowest priority first; of these, those that expire
 * first; of these, paid ones before gifts, then the older. What is asked has to be 0 or more.
 */
export function draw(grants: readonly Grant[], asked: Fraction, atMs: number): Draw {
  let missing = asked;
  const drawn: Drawn[] = [];
  const leftOf = new Map<string, Fraction>();
  for (const { grant, left } of grants.filter((each) => holds(each, atMs)).toSorted(inOrder)) {
    const credits = smaller(left, missing);
    if (compare(credits, none) <= 0) continue;
    drawn.push({ grant, credits });
    leftOf.set(grant, subtract(left, credits));
    missing = subtract(missing, credits);
  }
  const after = grants.map((each) => ({ ...each, left: leftOf.get(each.grant) ?? each.left }));
  return { drawn, grants: after, missing };
}

export interface Expiry {
  readonly grants: readonly Grant[];
  /** What can no longer be used of each grant that has expired. */
  readonly lapsed: readonly Drawn[];
}

/** Ends the grants that have expired at a moment, but for what rolls over. Asked twice, it changes nothing more. */
export function expire(grants: readonly Grant[], atMs: number): Expiry {
  const lapsed: Drawn[] = [];
  const after = grants.map((grant) => {
    const ended = ending(grant, atMs);
    const credits = subtract(ended.lapsed, grant.lapsed);
    if (compare(credits, none) > 0) lapsed.push({ grant: grant.grant, credits });
    return ended;
  });
  return { grants: after, lapsed };
}

/** Where even what rolled over has expired by then, that ends too. */
function ending(grant: Grant, atMs: number): Grant {
  const { expiresMs, rollover, left, lapsed } = grant;
  if (expiresMs === undefined || expiresMs > atMs) return grant;
  const kept = rollover === undefined ? none : smaller(rollover.most, left);
  const ended = { ...grant, left: kept, lapsed: add(lapsed, subtract(left, kept)), rollover: undefined };
  return rollover === undefined ? ended : ending({ ...ended, expiresMs: expiresMs + rollover.forMs }, atMs);
}

function holds({ fromMs, expiresMs }: Grant, atMs: number): boolean {
  return fromMs <= atMs && (expiresMs === undefined || atMs < expiresMs);
}

function inOrder(a: Grant, b: Grant): number {
  const byPaid = compare(b.paid, none) - compare(a.paid, none);
  return (
    a.priority - b.priority ||
    (a.expiresMs ?? Infinity) - (b.expiresMs ?? Infinity) ||
    byPaid ||
    a.fromMs - b.fromMs ||
    (a.grant < b.grant ? -1 : 1)
  );
}
