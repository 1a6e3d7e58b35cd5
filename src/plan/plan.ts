import type { ModelShape } from "../pool/index.ts";
import { modelsOf, type Workload } from "../sim/index.ts";
import { demandOf } from "./demand.ts";
import { fleetText, isCheaper, type Market } from "./market.ts";
import type { Offer } from "./price-list.ts";
import { PlanError } from "./problem.ts";
import type { PlanQuestion } from "./question.ts";
import { type FleetReport, fleetReport, workloadReport } from "./report.ts";
import { Reserved, type ReservedReport } from "./reserved.ts";
import { Search, type Tried } from "./search.ts";
import { findTemplates } from "./templates.ts";
import { Trials } from "./trial.ts";
import { exportWarnings } from "./warnings.ts";
import { homelessReasons, nothingLeft, shortReasons } from "./why-none.ts";
import { type Alternative, alternativesOf, type Reason, reasonsFor } from "./why.ts";

interface About {
  readonly workload: ReturnType<typeof workloadReport>;
  readonly objective: { readonly ttftMs: number; readonly tpotMs: number };
  readonly attainment: number;
  readonly currency: string;
  /** Offers that were left out. */
  readonly excluded: readonly { readonly device: string; readonly origin: string }[];
  /** What tenants have to themselves: it is in no fleet, and has to be had besides. Null: nothing. */
  readonly reserved: ReservedReport | null;
  readonly notes: readonly string[];
  readonly simulations: number;
  /** Fleets that were simulated as a whole. */
  readonly tried: readonly Tried[];
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
  const { workloads, plannedMs, prices, solver, progress = () => {} } = question;
  const trials = new Trials(question);
  const reserved = new Reserved(question.reserved, prices.offers);
  const [offers, excluded] = divided(reserved.rest(), question.excludedOrigins);
  const about = (search?: Search): About => ({
    workload: workloadReport(workloads),
    objective: question.objective,
    attainment: question.attainment,
    currency: prices.currency,
    excluded: excluded.map(({ type, origin }) => ({ device: type.id, origin })),
    reserved: reserved.report(),
    notes: [...new Set([...workloads.flatMap(({ notes }) => notes), ...correctionNotes(search)])],
    simulations: trials.simulations,
    tried: search?.tried ?? [],
  });
  const available = offers.filter(({ availableMax }) => availableMax !== 0);
  if (available.length === 0) return { ...about(), outcome: "none", reasons: [nothingLeft(excluded, reserved)] };

  const workload = busiest(workloads, question.shapes);
  const demand = demandOf(workload, available, question, trials);
  const homeless = homelessReasons(demand, { offers: available, workload, question, trials });
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
    return {
      ...about(search),
      outcome: "none",
      reasons: await shortReasons(market, demand, search, solver, { currency: prices.currency, excluded }),
    };
  }
  progress(`${fleetText(market, best.counts)} does; now another`);
  let second = await search.cheapest(best.counts);
  if (second !== undefined && isCheaper(market, second.counts, best.counts)) [best, second] = [second, best];
  const ground = { market, demand, currency: prices.currency, workloads, busiest: workload, trials, solver };
  const why = await reasonsFor(ground, best, second);
  const alternatives = await alternativesOf(ground);
  return {
    ...about(search),
    outcome: "planned",
    best: fleetReport(market, best, { workloads, plannedMs, reserved }),
    secondBest: second === undefined ? null : fleetReport(market, second, { workloads, plannedMs, reserved }),
    why,
    alternatives,
    warnings: exportWarnings(market, [best, ...(second === undefined ? [] : [second])]),
  };
}

function divided(offers: readonly Offer[], excludedOrigins: readonly string[]): [readonly Offer[], readonly Offer[]] {
  const isExcluded = ({ origin }: Offer): boolean => excludedOrigins.includes(origin);
  return [offers.filter((offer) => !isExcluded(offer)), offers.filter(isExcluded)];
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

function correctionNotes(search: Search | undefined): readonly string[] {
  if (search === undefined || search.corrections === 0) return [];
  return [`templates promised too much: ${search.corrections} fleet(s) failed and more was asked for`];
}
