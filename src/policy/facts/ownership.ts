import type { Operator, Owner } from "./schema.ts";
import { isMore, largest, minus, nothing, percentText, plus, type Share, shareOf, times, whole } from "./shares.ts";

/** A company with what is known of it: evidence that has run out leaves neither seat nor owners. */
export interface Company {
  readonly seat: string | undefined;
  readonly owners: readonly Owner[];
}

export type Companies = ReadonlyMap<string, Company>;

type Kind = "votes" | "capital";
/** By owner, or by country. */
type Shares = ReadonlyMap<string, Share>;

/** What is held of a company from outside a group of countries, as percentages that are rounded up. */
export interface HeldFromOutside {
  /** The largest holding of a single owner. */
  readonly largestVotesPercent: string;
  readonly largestCapitalPercent: string;
  /** All of them together. */
  readonly votesPercent: string;
  readonly capitalPercent: string;
  /** Whether one of them, or a company that they lead, has a veto or chooses the majority of the board. */
  readonly hasRights: boolean;
}

/**
 * Follows holdings through companies and multiplies along each chain. An owner is outside by its own country, whoever
 * owns it in turn. What a company's owners leave open belongs to nobody who is known: it counts as outside, and as one
 * owner's.
 */
export function heldFromOutside(
  name: string,
  companies: Companies,
  isInside: (country: string) => boolean,
): HeldFromOutside {
  const look: Look = { companies, isInside, shares: new Map(), holders: new Map() };
  return {
    largestVotesPercent: percentText(largest(outsideHolders(name, "votes", look).values())),
    largestCapitalPercent: percentText(largest(outsideHolders(name, "capital", look).values())),
    votesPercent: percentText(outsideShare(name, "votes", look)),
    capitalPercent: percentText(outsideShare(name, "capital", look)),
    hasRights: outsideRights(name, look),
  };
}

interface Look {
  readonly companies: Companies;
  readonly isInside: (country: string) => boolean;
  /** What was found already: many chains can lead through one company. */
  readonly shares: Map<string, Share>;
  readonly holders: Map<string, Shares>;
}

function remembered<Found>(known: Map<string, Found>, key: string, find: () => Found): Found {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}

/** All that is held from outside: a chain counts once, from the first owner on it who is outside. */
function outsideShare(name: string, kind: Kind, look: Look): Share {
  return remembered(look.shares, `${kind} ${name}`, () => addOutside(name, kind, look));
}

function addOutside(name: string, kind: Kind, look: Look): Share {
  let outside = unaccounted(name, kind, look.companies);
  for (const owner of ownersOf(name, look.companies)) {
    const share = held(owner, kind);
    if (isOutside(owner, look)) outside = plus(outside, share);
    else if (owner.operator !== undefined)
      outside = plus(outside, times(share, outsideShare(owner.operator, kind, look)));
  }
  return outside;
}

const nobodyKnown = "";

/** What each owner outside holds over all chains, at whatever place on them it stands. */
function outsideHolders(name: string, kind: Kind, look: Look): Shares {
  return remembered(look.holders, `${kind} ${name}`, () => addHolders(name, kind, look));
}

function addHolders(name: string, kind: Kind, look: Look): Shares {
  const holders = new Map<string, Share>([[nobodyKnown, unaccounted(name, kind, look.companies)]]);
  const add = (holder: string, share: Share) => holders.set(holder, plus(holders.get(holder) ?? nothing, share));
  for (const owner of ownersOf(name, look.companies)) {
    const share = held(owner, kind);
    const outside = isOutside(owner, look);
    if (outside) add(nameOf(owner), share);
    if (owner.operator === undefined) continue;
    for (const [holder, part] of outsideHolders(owner.operator, kind, look)) {
      // Who owns an owner that is outside already may stay open; who is known is added up over all its holdings.
      if (!outside || holder !== nobodyKnown) add(holder, times(share, part));
    }
  }
  return holders;
}

function outsideRights(name: string, look: Look): boolean {
  return ownersOf(name, look.companies).some((owner) => {
    if (owner.rights.length === 0) return false;
    return isOutside(owner, look) || (owner.operator !== undefined && isLedFromOutside(owner.operator, look));
  });
}

const half: Share = { numerator: 5n, decimals: 1 };

function isLedFromOutside(name: string, look: Look): boolean {
  return isMore(outsideShare(name, "votes", look), half) || outsideRights(name, look);
}

export interface Holding {
  readonly votesPercent: string;
  readonly capitalPercent: string;
}

/** Who holds a company in the end, by country; "unknown" is what owners leave open. For reports. */
export function heldByCountry(name: string, companies: Companies): ReadonlyMap<string, Holding> {
  const votes = countryShares(name, "votes", companies, new Map());
  const capital = countryShares(name, "capital", companies, new Map());
  const countries = [...new Set([...votes.keys(), ...capital.keys()])].sort();
  return new Map(
    countries.map((country) => [
      country,
      {
        votesPercent: percentText(votes.get(country) ?? nothing),
        capitalPercent: percentText(capital.get(country) ?? nothing),
      },
    ]),
  );
}

function countryShares(name: string, kind: Kind, companies: Companies, known: Map<string, Shares>): Shares {
  return remembered(known, name, () => addCountries(name, kind, companies, known));
}

function addCountries(name: string, kind: Kind, companies: Companies, known: Map<string, Shares>): Shares {
  const shares = new Map<string, Share>();
  const add = (country: string, share: Share) => {
    if (share.numerator > 0n) shares.set(country, plus(shares.get(country) ?? nothing, share));
  };
  add("unknown", unaccounted(name, kind, companies));
  for (const owner of ownersOf(name, companies)) {
    const share = held(owner, kind);
    if (owner.operator === undefined) add(owner.country!, share);
    else {
      for (const [country, part] of countryShares(owner.operator, kind, companies, known))
        add(country, times(share, part));
    }
  }
  return shares;
}

function unaccounted(name: string, kind: Kind, companies: Companies): Share {
  return minus(
    whole,
    ownersOf(name, companies).reduce((sum, owner) => plus(sum, held(owner, kind)), nothing),
  );
}

function ownersOf(name: string, companies: Companies): readonly Owner[] {
  return companies.get(name)?.owners ?? [];
}

function held({ votesPercent, capitalPercent }: Owner, kind: Kind): Share {
  return shareOf(kind === "votes" ? votesPercent : capitalPercent);
}

function isOutside({ country, operator }: Owner, { companies, isInside }: Look): boolean {
  const seat = operator === undefined ? country : companies.get(operator)?.seat;
  return seat === undefined || !isInside(seat);
}

function nameOf({ name, operator }: Owner): string {
  return operator ?? name ?? nobodyKnown;
}

/** Longest chain of companies from an owner to what it holds in the end: shares are multiplied exactly along it. */
const chainCompanies = 16;

/** What is wrong with who owns whom, as [index of the operator, what]; references are checked elsewhere. */
export function ownershipProblems(operators: readonly Operator[]): readonly (readonly [number, string])[] {
  const index = new Map(operators.map(({ name }, at) => [name, at]));
  const problems: (readonly [number, string])[] = [];
  for (const [at, operator] of operators.entries()) {
    for (const kind of ["votes", "capital"] as const) {
      const sum = operator.owners.reduce((all, owner) => plus(all, held(owner, kind)), nothing);
      if (isMore(sum, whole)) problems.push([at, `its owners hold ${percentText(sum)} % of its ${kind} together`]);
    }
  }
  const lengths = new Map<string, number>();
  const walk = (name: string, way: readonly string[]): number => {
    if (way.includes(name)) {
      const circle = [...way.slice(way.indexOf(name)), name];
      problems.push([index.get(name)!, `it owns itself in a circle: ${circle.join(" is owned by ")}`]);
      return 0;
    }
    const known = lengths.get(name);
    if (known !== undefined) return known;
    const parents = operators[index.get(name)!]!.owners.flatMap(({ operator }) => operator ?? []);
    const longest = Math.max(0, ...parents.filter((each) => index.has(each)).map((each) => walk(each, [...way, name])));
    lengths.set(name, longest + 1);
    return longest + 1;
  };
  for (const [at, { name }] of operators.entries()) {
    if (walk(name, []) > chainCompanies)
      problems.push([at, `a chain of more than ${chainCompanies} companies holds it`]);
  }
  return problems;
}
