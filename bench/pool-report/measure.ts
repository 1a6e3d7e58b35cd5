import { systemClock } from "../../src/base/index.ts";
import {
  boundOf,
  deviceTypeOf,
  type Outcome,
  parseFleet,
  parseObjective,
  parseShapes,
  type Variant,
} from "../../src/sim/index.ts";
import {
  attainments,
  type BoundResult,
  type BoundRow,
  type CapacityResult,
  type CapacityRow,
  type Found,
  type Result,
  type Row,
  type ShareResult,
  type ShareRow,
  type TenantCount,
} from "./row.ts";
import { findLeast } from "./search.ts";
import { linkGBps } from "./switch-costs.ts";
import { Trials, workloadsOf } from "./trials.ts";

/** A bound of fewer seeds is a bound as well, if a lower one; seeds differ by a hundredth, and it is slow. */
const boundSeeds = 3;
/** Where a search begins. */
const firstDevices = 4;

/** Throws where the row itself is wrong; what a policy does wrong is in the result. */
export function measure(row: Row, traces: string | undefined): Promise<Result> {
  switch (row.kind) {
    case "capacity":
      return measureCapacity(row, traces);
    case "bound":
      return measureBound(row, traces);
    default:
      return measureShare(row, traces);
  }
}

async function measureCapacity(row: CapacityRow, traces: string | undefined): Promise<CapacityResult> {
  const { policy, tuning, setting, extent, devicesMax } = row;
  const trials = await Trials.open({ setting, extent, load: 1, traces, policy, tuning });
  const type = deviceTypeOf(row.device);
  const found: (Found | null)[] = [];
  let from = firstDevices;
  for (const attainment of attainments) {
    /** Best first, so that the one that reaches it by all seeds is found soon. */
    const hopeful = (devices: number): readonly Variant[] => {
      const fleet = [{ type, count: devices }];
      return trials
        .variants(devices)
        .map((variant) => ({ variant, share: trials.attained(fleet, variant, 0, attainment) }))
        .filter(({ share }) => share >= attainment)
        .sort((a, b) => b.share - a.share)
        .map(({ variant }) => variant);
    };
    const byAllSeeds = (devices: number): Found | undefined => {
      const fleet = [{ type, count: devices }];
      for (const variant of hopeful(devices)) {
        let seed = 1;
        while (seed < trials.seeds && trials.attained(fleet, variant, seed, attainment) >= attainment) seed++;
        if (seed < trials.seeds) continue;
        const summary = trials.summary(fleet, variant);
        if (summary !== undefined) return { accelerators: devices, variant: variant.name, figures: summary.figures };
      }
      return undefined;
    };
    const byFirstSeed = (devices: number): boolean => hopeful(devices).length > 0;
    const least = findLeast({ devicesMax, byFirstSeed, byAllSeeds }, from);
    found.push(least?.answer ?? null);
    if (least === undefined) break;
    from = least.devices;
  }
  while (found.length < attainments.length) found.push(null);
  return { kind: "capacity", found, failures: [...trials.failures], notes: trials.notes };
}

async function measureBound({ setting, extent, device }: BoundRow, traces: string | undefined): Promise<BoundResult> {
  const seeds = Math.min(extent.seeds, boundSeeds);
  const workloads = await workloadsOf({ setting, extent: { ...extent, seeds }, load: 1, traces });
  const question = {
    workloads,
    shapes: parseShapes(setting.shapes),
    objective: parseObjective(setting.objective),
    device: deviceTypeOf(device),
    linkGBps,
    clock: systemClock,
  };
  return { kind: "bound", accelerators: attainments.map((attainment) => boundOf({ ...question, attainment })) };
}

async function measureShare(row: ShareRow, traces: string | undefined): Promise<ShareResult> {
  const { policy, tuning, setting, extent, load } = row;
  const trials = await Trials.open({ setting, extent, load, traces, policy, tuning });
  const fleet = parseFleet(row.fleet);
  const devices = fleet.reduce((sum, { count }) => sum + count, 0);
  const variants = trials.variants(devices).filter(({ name }) => row.variant === undefined || name === row.variant);
  const variant = best(trials, fleet, variants);
  const summary = variant === undefined ? undefined : trials.summary(fleet, variant);
  if (variant === undefined || summary === undefined) {
    throw new Error(`${row.name}: not brought to an end: ${[...trials.failures].join("; ")}`);
  }
  return {
    kind: "share",
    variant: variant.name,
    figures: summary.figures,
    tenants: countTenants(summary.outcomes),
    arrivalSeconds: summary.arrivalSeconds,
    failures: [...trials.failures],
  };
}

/** By the mean over all seeds. One alone need not be tried to be known. */
function best(trials: Trials, fleet: ReturnType<typeof parseFleet>, variants: readonly Variant[]): Variant | undefined {
  if (variants.length <= 1) return variants[0];
  let [found, most]: [Variant | undefined, number] = [undefined, -1];
  for (const variant of variants) {
    let sum = 0;
    for (let seed = 0; seed < trials.seeds; seed++) sum += trials.attained(fleet, variant, seed);
    if (sum > most) [found, most] = [variant, sum];
  }
  return found;
}

function countTenants(outcomes: readonly Outcome[]): readonly TenantCount[] {
  return [...Map.groupBy(outcomes, ({ request }) => request.tenant)].map(([tenant, all]) => ({
    tenant,
    requests: all.length,
    met: all.filter(({ isMet }) => isMet).length,
  }));
}
