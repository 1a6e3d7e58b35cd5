import { deviceTypes, type ModelShape } from "../pool/index.ts";
import { modelsOf, type Workload } from "../sim/index.ts";
import { abilityOf } from "./ability.ts";
import { type Demand, demandOf } from "./demand.ts";
import { fleetText, isCheaper, type Market } from "./market.ts";
import type { Offer } from "./price-list.ts";
import { PlanError } from "./problem.ts";
import type { PlanQuestion } from "./question.ts";
import { type FleetReport, fleetReport, workloadReport } from "./report.ts";
import { type Found, Search } from "./search.ts";
import { findTemplates } from "./templates.ts";
import { Trials } from "./trial.ts";
import { type Alternative, alternativesOf, type Reason, reasonsFor } from "./why.ts";

interface About {
  readonly workload: ReturnType<typeof workloadReport>;
  readonly objective: { readonly ttftMs: number; readonly tpotMs: number };
  readonly attainment: number;
  readonly currency: string;
  /** Offers that were left out. */
  readonly excluded: readonly { readonly device: string; readonly origin: string }[];
  readonly notes: readonly string[];
  readonly simulations: number;
  readonly fleetsTried: number;
}

export type Plan =
  | (About & {
      readonly outcome: "planned";
      readonly best: FleetReport;
      /** Null: no other fleet was found that keeps what is promised. */
      readonly secondBest: FleetReport | null;
      readonly why: readonly Reason[];
      readonly alternatives: readonly Alternative[];
      readonly warnings: readonly string[];
    })
  | (About & { readonly outcome: "none"; readonly reasons: readonly string[] });

/**
 * The cheapest fleet that keeps what is promised, the second best, and why: who may be bought from, what each model asks
 * of a device, what small sets of devices carry, which fleet that makes, and whether it does as a whole.
 */
export async function makePlan(question: PlanQuestion): Promise<Plan> {
  const { workloads, prices, solver, progress = () => {} } = question;
  const trials = new Trials(question);
  const [offers, excluded] = divided(prices.offers, question.excludedOrigins);
  const about = (search?: Search): About => ({
    workload: workloadReport(workloads),
    objective: question.objective,
    attainment: question.attainment,
    currency: prices.currency,
    excluded: excluded.map(({ type, origin }) => ({ device: type.id, origin })),
    notes: [...new Set([...workloads.flatMap(({ notes }) => notes), ...correctionNotes(search)])],
    simulations: trials.simulations,
    fleetsTried: search?.tried ?? 0,
  });
  const available = offers.filter(({ availableMax }) => availableMax !== 0);
  if (available.length === 0) return { ...about(), outcome: "none", reasons: [nothingLeft(excluded)] };

  const workload = busiest(workloads, question.shapes);
  const demand = demandOf(workload, available, question, trials);
  const homeless = homelessReasons(demand, available, workload, question, trials, excluded);
  if (homeless.length > 0) return { ...about(), outcome: "none", reasons: homeless };
  const templates = findTemplates(workload, available, demand, trials, progress);
  const market: Market = { offers: available, templates, groups: demand.groups.map(({ id }) => id) };
  const uncarried = demand.groups.filter(({ id }) => !templates.some(({ cover }) => cover.has(id)));
  if (uncarried.length > 0) {
    const reasons = uncarried.map(
      ({ id }) => `no set of up to 16 devices of one type carries even a small part of the requests for ${id}`,
    );
    return { ...about(), outcome: "none", reasons };
  }

  const search = new Search({ market, workloads, trials, solver, progress });
  let best = await search.cheapest();
  if (best === undefined) {
    return { ...about(search), outcome: "none", reasons: await shortReasons(market, search, excluded) };
  }
  progress(`${fleetText(market, best.counts)} does; now another`);
  let second = await search.cheapest(best.counts);
  if (second !== undefined && isCheaper(market, second.counts, best.counts)) [best, second] = [second, best];
  const ground = { market, demand, currency: prices.currency, workloads, trials, solver };
  const why = await reasonsFor(ground, best, second);
  const alternatives = await alternativesOf(ground, question);
  return {
    ...about(search),
    outcome: "planned",
    best: fleetReport(market, best, workloads),
    secondBest: second === undefined ? null : fleetReport(market, second, workloads),
    why,
    alternatives,
    warnings: exportWarnings(market, [best, ...(second === undefined ? [] : [second])]),
  };
}

function divided(offers: readonly Offer[], excludedOrigins: readonly string[]): [readonly Offer[], readonly Offer[]] {
  const isExcluded = ({ origin }: Offer): boolean => excludedOrigins.includes(origin);
  return [offers.filter((offer) => !isExcluded(offer)), offers.filter(isExcluded)];
}

function nothingLeft(excluded: readonly Offer[]): string {
  if (excluded.length === 0) return "the price list has no device that can be had";
  const names = excluded.map(({ type, origin }) => `${type.name} (${origin})`).join(", ");
  return `no device is left once the excluded origins are: ${names}`;
}

/** Templates are measured on one seed: the one with most to do. */
function busiest(workloads: readonly Workload[], shapes: ReadonlyMap<string, ModelShape>): Workload {
  const models = new Set(workloads.flatMap((workload) => modelsOf(workload)));
  for (const model of models) if (!shapes.has(model)) throw new PlanError(`what model is "${model}"?`);
  const work = ({ requests }: Workload): number =>
    requests.reduce(
      (sum, { model, inputTokens, outputTokens }) =>
        sum + (inputTokens + outputTokens) * shapes.get(model)!.activeParameters,
      0,
    );
  return workloads.toSorted((a, b) => work(b) - work(a))[0]!;
}

/** Models that no device on offer can serve; what is there beside the list could, where some could. */
function homelessReasons(
  demand: Demand,
  offers: readonly Offer[],
  workload: Workload,
  question: PlanQuestion,
  trials: Trials,
  excluded: readonly Offer[],
): readonly string[] {
  return [...demand.abilities].flatMap(([model, byDevice]) => {
    if ([...byDevice.values()].some(({ able }) => able)) return [];
    const lacks = offers.map(({ type }) => {
      const ability = byDevice.get(type.id)!;
      if (ability.able) return type.name;
      return ability.lacks === "memory"
        ? `${type.name} has ${type.memoryGiB} GiB of the ${Math.ceil(ability.neededGiB)} GiB that it needs`
        : `${type.name} meets the objective for ${(100 * ability.metShare).toFixed(1)} % of its requests one at a time`;
    });
    const elsewhere = deviceTypes
      .filter((type) => !offers.some((offer) => offer.type === type))
      .filter((type) => abilityOf(type, model, workload, question, trials).able)
      .map((type) => `${type.name}${excluded.some((offer) => offer.type === type) ? " (excluded)" : ""}`);
    const hint = elsewhere.length === 0 ? "no known device alone does" : `it would run on ${elsewhere.join(", ")}`;
    return [`${model} (${question.shapes.get(model)!.id}) runs on no device on offer: ${lacks.join("; ")}; ${hint}`];
  });
}

async function shortReasons(market: Market, search: Search, excluded: readonly Offer[]): Promise<readonly string[]> {
  const short = await search.isShort();
  const all = market.offers.map(({ type, availableMax }) => `${availableMax ?? "any number of"} ${type.name}`);
  const reasons =
    short === undefined
      ? [`no fleet of ${all.join(" and ")} that was tried keeps the objective`]
      : [
          short.isExcluded
            ? `all that can be had (${all.join(" and ")}) is too little, whoever schedules it`
            : `all that can be had (${all.join(" and ")}) meets ${(100 * Math.min(...short.attainmentPerSeed)).toFixed(2)} % of the requests`,
        ];
  if (excluded.length > 0) {
    reasons.push(`left out by origin: ${excluded.map(({ type, origin }) => `${type.name} (${origin})`).join(", ")}`);
  }
  return reasons;
}

function correctionNotes(search: Search | undefined): readonly string[] {
  if (search === undefined || search.corrections === 0) return [];
  return [`templates promised too much ${search.corrections} times: more was asked for until the whole fleet did`];
}

function exportWarnings({ offers }: Market, found: readonly Found[]): readonly string[] {
  return offers.flatMap(({ type, exportClassification, note }, index) => {
    if (found.every(({ counts }) => counts[index] === 0)) return [];
    const said = [
      ...(type.exportNote === undefined ? [] : [`${type.exportNote}`]),
      ...(exportClassification === undefined ? [] : [`The price list says: ${exportClassification}.`]),
      ...(note === undefined ? [] : [`Note: ${note}.`]),
    ];
    const isExport = type.exportNote !== undefined || exportClassification !== undefined;
    return isExport ? [`${type.name}: ${said.join(" ")} As given, and not legal advice.`] : [];
  });
}
