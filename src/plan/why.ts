import { formatAmount } from "../base/index.ts";
import type { Workload } from "../sim/index.ts";
import type { Demand } from "./demand.ts";
import { type Counts, fleetOf, fleetText, type Market, priceOf, propose } from "./market.ts";
import type { Found } from "./search.ts";
import type { Solver } from "./solver/solver.ts";
import { idleReasons } from "./why-none.ts";
import { type Change, type Trials, withCompute, withLink, withMemory } from "./trial.ts";

/** A reason, each from something that was tried or solved for it. */
export interface Reason {
  readonly kind: "price" | "memory" | "speed" | "capacity" | "availability" | "decided";
  readonly text: string;
}

interface Ground {
  readonly market: Market;
  readonly demand: Demand;
  readonly currency: string;
  readonly workloads: readonly Workload[];
  /** The one that templates were measured on. */
  readonly busiest: Workload;
  readonly trials: Trials;
  readonly solver: Solver;
}

/** What one type alone would take, where it can serve everything. */
export interface Alternative {
  readonly device: string;
  /** By the templates, not tried; null where it cannot serve everything, or has not enough devices. */
  readonly devices: number | null;
  readonly pricePerHour: string | null;
  /** Nobody does with fewer, whoever decides; null where it cannot serve everything. */
  readonly bound: number | null;
}

export async function alternativesOf({
  market,
  demand,
  busiest,
  trials,
  solver,
}: Ground): Promise<readonly Alternative[]> {
  const alternatives: Alternative[] = [];
  for (const offer of market.offers) {
    const { type } = offer;
    if (!demand.groups.every(({ devices }) => devices.has(type.id))) {
      alternatives.push({ device: type.id, devices: null, pricePerHour: null, bound: null });
      continue;
    }
    const alone: Market = {
      ...market,
      offers: [offer],
      templates: market.templates.filter((template) => template.offer === offer),
    };
    const proposal = await propose(alone, { cover: 1, tooSmall: [] }, solver);
    alternatives.push({
      device: type.id,
      devices: proposal?.counts[0] ?? null,
      pricePerHour: proposal === undefined ? null : formatAmount(priceOf(alone, proposal.counts)),
      bound: trials.bound(type, busiest),
    });
  }
  return alternatives;
}

export async function reasonsFor(ground: Ground, best: Found, second: Found | undefined): Promise<readonly Reason[]> {
  const { market, currency } = ground;
  const reasons: Reason[] = [];
  const price = priceOf(market, best.counts);
  if (second !== undefined) {
    const more = priceOf(market, second.counts) - price;
    reasons.push({
      kind: "price",
      text:
        more === 0n
          ? "the second best has the same price"
          : `the second best is dearer by ${formatAmount(more)} ${currency} an hour (${percent(Number(more) / Number(price))})`,
    });
  }
  reasons.push(...unableReasons(ground));
  reasons.push(...idleReasons(market, ground.demand).map((text): Reason => ({ kind: "capacity", text })));
  const atLimit = market.offers.filter(
    ({ availableMax }, index) => availableMax !== undefined && availableMax > 0 && best.counts[index] === availableMax,
  );
  if (atLimit.length > 0)
    reasons.push(
      await availabilityReason(
        ground,
        best.counts,
        atLimit.map(({ type }) => type.name),
      ),
    );
  reasons.push(decidedBy(ground, best.counts));
  return reasons;
}

function unableReasons({ market, demand }: Ground): readonly Reason[] {
  return market.offers.flatMap(({ type }): Reason[] => {
    const unable = [...demand.abilities].flatMap(([model, byDevice]) => {
      const ability = byDevice.get(type.id)!;
      return ability.able ? [] : [{ model, ability }];
    });
    return (["memory", "speed"] as const).flatMap((lacks) => {
      const models = unable.filter(({ ability }) => ability.lacks === lacks).map(({ model }) => model);
      if (models.length === 0) return [];
      const what = lacks === "memory" ? "has not the memory for" : "is too slow, even for one request at a time, for";
      return [{ kind: lacks, text: `${type.name} ${what} ${someOf(models)}` }];
    });
  });
}

async function availabilityReason(
  { market, solver, currency }: Ground,
  best: Counts,
  names: readonly string[],
): Promise<Reason> {
  const free = await propose(market, { cover: 1, tooSmall: [], isAvailabilityIgnored: true }, solver);
  const all = `all that can be had of ${names.join(" and ")} is in it`;
  if (free === undefined || priceOf(market, free.counts) >= priceOf(market, best)) {
    return { kind: "availability", text: `${all}; by templates, more would not make it cheaper` };
  }
  const price = `${formatAmount(priceOf(market, free.counts))} ${currency}`;
  const text = `${all}: with more, templates say ${fleetText(market, free.counts)} for ${price} an hour`;
  return { kind: "availability", text };
}

const changes: readonly (readonly [words: string, change: Change])[] = [
  ["twice the speed of computing", withCompute(2)],
  ["twice the memory", withMemory(2)],
  ["twice the host link", withLink(2)],
];

/** What would have to be twice as good for a device less to do: tried. */
function decidedBy({ market, workloads, trials }: Ground, counts: Counts): Reason {
  const index = counts.findLastIndex((count) => count > 0);
  const fewer = counts.map((count, at) => (at === index ? count - 1 : count));
  const name = market.offers[index]!.type.name;
  if (fewer.every((count) => count === 0)) return { kind: "decided", text: "one device is the least there is" };
  const fleet = fleetOf(market, fewer);
  const enough = changes.filter(([, change]) => trials.run(fleet, workloads, change).isMet).map(([words]) => words);
  const text =
    enough.length > 0
      ? `one ${name} less would do if all had ${enough.join(", or ")}`
      : `one ${name} less would not do even with twice the memory, the speed or the host link: it is their number`;
  return { kind: "decided", text };
}

function someOf(models: readonly string[]): string {
  return models.length <= 4 ? models.join(", ") : `${models.slice(0, 3).join(", ")} and ${models.length - 3} more`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
