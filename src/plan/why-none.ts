import { formatAmount } from "../base/index.ts";
import { type DeviceType, deviceTypes } from "../pool/index.ts";
import { roomBytes, type Workload } from "../sim/index.ts";
import { type Ability, abilityOf } from "./ability.ts";
import type { Demand } from "./demand.ts";
import { fleetText, type Market, priceOf, propose } from "./market.ts";
import type { Offer } from "./price-list.ts";
import type { PlanQuestion } from "./question.ts";
import type { Reserved } from "./reserved.ts";
import type { Search } from "./search.ts";
import type { Solver } from "./solver/solver.ts";
import type { Trials } from "./trial.ts";

export function nothingLeft(excluded: readonly Offer[], reserved: Reserved): string {
  if (!reserved.isNothing) return "no device is left beside those that are reserved";
  if (excluded.length === 0) return "the price list has no device that can be had";
  const names = excluded.map(({ type, origin }) => `${type.name} (${origin})`).join(", ");
  return `no device is left once the excluded origins are: ${names}`;
}

interface Ground {
  readonly offers: readonly Offer[];
  readonly workload: Workload;
  readonly question: PlanQuestion;
  readonly trials: Trials;
}

/** Models that no device on offer can serve, those of one shape together; and what could that is not on offer. */
export function homelessReasons({ abilities }: Demand, ground: Ground): readonly string[] {
  const { offers, question } = ground;
  const homeless = [...abilities].filter(([, byDevice]) => [...byDevice.values()].every(({ able }) => !able));
  const ofShape = Map.groupBy(homeless, ([model]) => question.shapes.get(model)!.id);
  return [...ofShape].map(([shape, alike]) => {
    const [model, byDevice] = alike[0]!;
    const lacks = offers.map(({ type }) => `${type.name} ${lackOf(byDevice.get(type.id)!, type)}`);
    const names = alike.length === 1 ? model : `${model} and ${alike.length - 1} more`;
    return `${shape} (${names}) runs on no device on offer: ${lacks.join("; ")}; ${elsewhere(model, ground)}`;
  });
}

function lackOf(ability: Ability, type: DeviceType): string {
  if (ability.able) return "does";
  if (ability.lacks === "memory")
    return `has room for ${gibText(roomBytes(type) / 2 ** 30)} of the ${gibText(ability.neededGiB)} that it needs`;
  return `meets the objective for ${(100 * ability.metShare).toFixed(1)} % of its requests one at a time`;
}

function gibText(gib: number): string {
  return `${gib.toFixed(1)} GiB`;
}

/** Of known devices those that would do; who excludes an origin is not advised to buy what is of it, listed or not. */
function elsewhere(model: string, { offers, workload, question, trials }: Ground): string {
  const others = deviceTypes
    .filter((type) => !offers.some((offer) => offer.type === type))
    .filter((type) => abilityOf(type, model, workload, question, trials).able)
    .map((type) => ({ type, listed: question.prices.offers.find((offer) => offer.type === type) }))
    .map((other) => ({ ...other, origin: other.listed?.origin ?? other.type.makerCountry }));
  const free = others.filter(({ origin }) => !question.excludedOrigins.includes(origin));
  const freeTexts = free.map(
    ({ type, listed }) => `${type.name} (${listed === undefined ? "not in the price list" : "none to be had"})`,
  );
  if (free.length > 0) return `it would run on ${freeTexts.join(", ")}`;
  if (others.length === 0) return "no known device does, alone";
  const barredTexts = others.map(({ type, origin }) => `${type.name} (${origin})`);
  return `of known devices only those of an excluded origin would do: ${barredTexts.join(", ")}`;
}

/** Device types that serve one request at a time of a group, but no part of what comes. */
export function idleReasons({ offers, templates }: Market, { groups }: Demand): readonly string[] {
  return groups.flatMap((group) =>
    offers
      .filter(({ type }) => group.devices.has(type.id))
      .filter((offer) => !templates.some((template) => template.offer === offer && template.cover.has(group.id)))
      .map(({ type }) => `${type.name} serves one request at a time of ${group.id}, but not even a part of what comes`),
  );
}

/** Why there is no fleet although each model has devices that can serve it. */
export async function shortReasons(
  market: Market,
  demand: Demand,
  search: Search,
  solver: Solver,
  { currency, excluded }: { readonly currency: string; readonly excluded: readonly Offer[] },
): Promise<readonly string[]> {
  const all = market.offers.map(({ type, availableMax }) => `${availableMax ?? "any number of"} ${type.name}`);
  const reasons = [theMost(search, all.join(" and ")), ...idleReasons(market, demand)];
  const free = await propose(market, { cover: 1, tooSmall: [], isAvailabilityIgnored: true }, solver);
  const lacking = market.offers.flatMap(({ type, availableMax }, index) =>
    free !== undefined && availableMax !== undefined && free.counts[index]! > availableMax
      ? [`${free.counts[index]!} ${type.name} instead of ${availableMax}`]
      : [],
  );
  if (free !== undefined && lacking.length > 0) {
    const price = `${formatAmount(priceOf(market, free.counts))} ${currency}`;
    reasons.push(
      `with ${lacking.join(" and ")}, templates say ${fleetText(market, free.counts)} for ${price} an hour, not tried`,
    );
  }
  if (excluded.length > 0) {
    reasons.push(`left out by origin: ${excluded.map(({ type, origin }) => `${type.name} (${origin})`).join(", ")}`);
  }
  return reasons;
}

function theMost(search: Search, all: string): string {
  const most = search.everything();
  if (most === undefined) return `no fleet of ${all} that was tried keeps the objective`;
  if (most.isExcluded) return `all that can be had (${all}) is too little, whoever schedules it`;
  const worst = (100 * Math.min(...most.trial.attainmentPerSeed)).toFixed(2);
  return `all that can be had (${all}) meets ${worst} % of the requests`;
}
