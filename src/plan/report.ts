import { formatAmount } from "../base/index.ts";
import { type Figures, modelsOf, type Workload } from "../sim/index.ts";
import { fleetText, type Market, priceOf } from "./market.ts";
import type { PlanQuestion } from "./question.ts";
import type { Reserved, TogetherReport } from "./reserved.ts";
import type { Found } from "./search.ts";
import type { Template } from "./templates.ts";

/** One fleet, as `plan --json` prints it. */
export interface FleetReport {
  /** As `sim --fleet` takes it. */
  readonly fleet: string;
  readonly devices: readonly {
    readonly device: string;
    readonly name: string;
    readonly count: number;
    readonly origin: string;
    /** Of all of them. */
    readonly pricePerHour: string;
  }[];
  readonly pricePerHour: string;
  /** This fleet and what tenants have reserved; null where nothing is. */
  readonly withReserved: TogetherReport | null;
  /** Of tokens in and out together: what the devices cost in the time that is planned for, over the tokens in it. */
  readonly pricePerMillionTokens: string;
  readonly attainmentStrict: number;
  readonly attainmentPerSeed: readonly number[];
  readonly worstModel: { readonly model: string; readonly attainmentStrict: number };
  readonly ttftMs: Figures["ttftMs"];
  readonly tpotMs: Figures["tpotMs"];
  readonly busyShare: number;
  readonly switches: number;
  /** What the solver put it together from; empty where devices were taken away afterwards. */
  readonly templates: readonly TemplateReport[];
}

export interface TemplateReport {
  readonly device: string;
  readonly devices: number;
  readonly kind: Template["kind"];
  readonly models: string;
  /** Share of those models' work that one carries. */
  readonly share: number;
  readonly count: number;
}

export function fleetReport(
  market: Market,
  found: Found,
  { workloads, plannedMs, reserved }: Pick<PlanQuestion, "workloads" | "plannedMs"> & { readonly reserved: Reserved },
): FleetReport {
  const { counts, taken, trial } = found;
  const price = priceOf(market, counts);
  return {
    fleet: fleetText(market, counts),
    devices: market.offers.flatMap(({ type, origin, pricePerHour }, index) =>
      counts[index] === 0
        ? []
        : [
            {
              device: type.id,
              name: type.name,
              count: counts[index]!,
              origin,
              pricePerHour: formatAmount(BigInt(counts[index]!) * pricePerHour),
            },
          ],
    ),
    pricePerHour: formatAmount(price),
    withReserved: reserved.with(market, counts),
    pricePerMillionTokens: pricePerMillion(price, workloads, plannedMs),
    attainmentStrict: trial.attainmentStrict,
    attainmentPerSeed: trial.attainmentPerSeed,
    worstModel: trial.worstModel,
    ttftMs: trial.ttftMs,
    tpotMs: trial.tpotMs,
    busyShare: trial.busyShare,
    switches: trial.switches,
    templates: taken.map(({ template, count }) => templateReport(template, count)),
  };
}

function templateReport({ offer, devices, kind, groups, cover }: Template, count: number): TemplateReport {
  const share = [...cover.values()].reduce((sum, each) => sum + each, 0) / groups.length;
  return { device: offer.type.id, devices, kind, models: groups.join("; "), share: Number(share.toFixed(3)), count };
}

const microsPerHour = 3_600_000_000n;

/**
 * Price an hour x the hours that are planned for, over their tokens; to a millionth, rounded down. Devices are paid for all
 * of that time, also where nobody asks at its beginning or end.
 */
function pricePerMillion(pricePerHour: bigint, workloads: readonly Workload[], plannedMs: number | undefined): string {
  let [tokens, micros] = [0n, 0n];
  for (const { requests } of workloads) {
    for (const { inputTokens, outputTokens } of requests) tokens += BigInt(inputTokens + outputTokens);
    micros += BigInt(Math.round((plannedMs ?? requests.at(-1)?.atMs ?? 0) * 1000));
  }
  if (tokens === 0n) return "0";
  const units = (pricePerHour * micros * 1_000_000n) / (microsPerHour * tokens);
  return formatAmount(units - (units % 1_000_000n));
}

/** What the workload is, over all seeds. */
export function workloadReport(workloads: readonly Workload[]) {
  const requests = workloads.flatMap((workload) => workload.requests);
  return {
    name: workloads[0]!.name,
    seeds: workloads.length,
    models: new Set(workloads.flatMap((workload) => modelsOf(workload))).size,
    requests: requests.length,
    inputTokens: requests.reduce((sum, { inputTokens }) => sum + inputTokens, 0),
    outputTokens: requests.reduce((sum, { outputTokens }) => sum + outputTokens, 0),
  };
}
