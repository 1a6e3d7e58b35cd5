import type { DeviceCount } from "../sim/index.ts";
import type { Offer } from "./price-list.ts";
import type { IntegerProgram, Row, Variable } from "./solver/program.ts";
import type { Solver } from "./solver/solver.ts";
import type { Template } from "./templates.ts";

/** Devices of each offer, in the order of the offers. */
export type Counts = readonly number[];

/** What a fleet is chosen from. */
export interface Market {
  readonly offers: readonly Offer[];
  readonly templates: readonly Template[];
  /** By id. */
  readonly groups: readonly string[];
}

export interface Wish {
  /** How much of each group's work the templates are to carry: 1 is all of it. */
  readonly cover: number;
  /** Fleets that were seen to be too small: a fleet with no more of anything is not proposed. */
  readonly tooSmall: readonly Counts[];
  /** A fleet that has at least these is not proposed: it would be this one with devices to spare. */
  readonly other?: Counts | undefined;
  /** Only what is cheaper than this fleet. */
  readonly cheaperThan?: Counts | undefined;
  /** As if as many as are wanted could be had. */
  readonly isAvailabilityIgnored?: boolean | undefined;
}

export interface Proposal {
  readonly counts: Counts;
  /** How often each template was taken; none for what the templates were not asked for. */
  readonly taken: readonly { readonly template: Template; readonly count: number }[];
}

/** More devices of one type are not planned for. */
export const devicesMax = 10_000;

/** The cheapest fleet that keeps all wishes; undefined where there is none. */
export async function propose(market: Market, wish: Wish, solver: Solver): Promise<Proposal | undefined> {
  const values = await solver.solve(programOf(market, wish));
  if (values === undefined) return undefined;
  return {
    counts: market.offers.map((_, index) => values.get(`n${index}`)!),
    taken: market.templates
      .map((template, index) => ({ template, count: values.get(`t${index}`)! }))
      .filter(({ count }) => count > 0),
  };
}

/** In variables: `n` devices of each offer, `t` of each template, and for each exclusion which offer differs. */
export function programOf(market: Market, wish: Wish): IntegerProgram {
  const { offers, templates, groups } = market;
  const mosts = offers.map(({ availableMax }) =>
    wish.isAvailabilityIgnored === true ? devicesMax : Math.min(devicesMax, availableMax ?? devicesMax),
  );
  const prices = relativePrices(offers);
  const variables: Variable[] = offers.map((_, index) => ({
    name: `n${index}`,
    // Among fleets of the same price, the one with fewer devices.
    cost: prices[index]! + 1e-6,
    most: mosts[index]!,
  }));
  templates.forEach((_, index) => variables.push({ name: `t${index}`, cost: 0, most: devicesMax }));
  const rows: Row[] = offers.map((offer, index) => ({
    terms: [
      [1, `n${index}`] as const,
      ...templates.flatMap((template, at) =>
        template.offer === offer ? [[-template.devices, `t${at}`] as const] : [],
      ),
    ],
    sense: ">=",
    bound: 0,
  }));
  for (const group of groups) {
    const terms = templates.flatMap(({ cover }, at) => {
      const share = cover.get(group);
      return share === undefined ? [] : [[share, `t${at}`] as const];
    });
    rows.push({ terms: terms.length > 0 ? terms : [[0, "n0"]], sense: ">=", bound: wish.cover });
  }
  wish.tooSmall.forEach((counts, at) => exclude("s", at, counts, ">=", mosts, variables, rows));
  if (wish.other !== undefined) exclude("o", 0, wish.other, "<=", mosts, variables, rows);
  if (wish.cheaperThan !== undefined) {
    const bound = wish.cheaperThan.reduce((sum, count, index) => sum + count * prices[index]!, 0);
    const terms = offers.map((_, index) => [prices[index]!, `n${index}`] as const);
    // Prices have 12 decimals, doubles do not: what is cheaper by less than this is not looked for.
    rows.push({ terms, sense: "<=", bound: bound - 1e-4 });
  }
  return { variables, rows };
}

/**
 * Of at least one offer there are more (`>=`) or fewer (`<=`) devices than these counts. A variable of 0 or 1 for each
 * offer says whether it is that one; where it is, the row binds, and where not, it leaves everything open.
 */
function exclude(
  name: string,
  at: number,
  counts: Counts,
  sense: Row["sense"],
  mosts: readonly number[],
  variables: Variable[],
  rows: Row[],
): void {
  const differs: [number, string][] = [];
  counts.forEach((count, index) => {
    const most = mosts[index]!;
    if (sense === ">=" ? count >= most : count === 0) return;
    const variable = `${name}${at}x${index}`;
    variables.push({ name: variable, cost: 0, most: 1 });
    differs.push([1, variable]);
    if (sense === ">=")
      rows.push({
        terms: [
          [1, `n${index}`],
          [-(count + 1), variable],
        ],
        sense,
        bound: 0,
      });
    else
      rows.push({
        terms: [
          [1, `n${index}`],
          [most - count + 1, variable],
        ],
        sense,
        bound: most,
      });
  });
  rows.push({ terms: differs.length > 0 ? differs : [[0, "n0"]], sense: ">=", bound: 1 });
}

/** In units of the cheapest, so that the solver's tolerance is the same whatever the currency. */
function relativePrices(offers: readonly Offer[]): readonly number[] {
  const least = offers.map(({ pricePerHour }) => pricePerHour).reduce((a, b) => (b < a ? b : a));
  return offers.map(({ pricePerHour }) => Number(pricePerHour) / Number(least));
}

export function priceOf({ offers }: Market, counts: Counts): bigint {
  return counts.reduce((sum, count, index) => sum + BigInt(count) * offers[index]!.pricePerHour, 0n);
}

export function isCheaper(market: Market, a: Counts, b: Counts): boolean {
  return priceOf(market, a) < priceOf(market, b);
}

export function fleetOf({ offers }: Market, counts: Counts): readonly DeviceCount[] {
  return counts.flatMap((count, index) => (count > 0 ? [{ type: offers[index]!.type, count }] : []));
}

/** `4xH100+1xL40S`, as `sim --fleet` takes it. */
export function fleetText(market: Market, counts: Counts): string {
  return fleetOf(market, counts)
    .map(({ type, count }) => `${count}x${type.id.toUpperCase()}`)
    .join("+");
}
