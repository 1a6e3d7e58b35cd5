import type { Workload } from "../sim/index.ts";
import type { Demand, Group } from "./demand.ts";
import type { Offer } from "./price-list.ts";
import { type Slices, slicesOf } from "./slices.ts";
import type { Trials } from "./trial.ts";

/** A few devices of one type, and what they were seen to carry of the demand within what is promised. */
export interface Template {
  readonly offer: Offer;
  readonly devices: number;
  /** `dedicated`: one busy model has them to itself. `shared`: several models take turns on them. */
  readonly kind: "dedicated" | "shared";
  /** Of which models, by their groups' ids. */
  readonly groups: readonly string[];
  /** The share of each group's work, above 0. */
  readonly cover: ReadonlyMap<string, number>;
}

/** More devices together are taken as several templates. */
const devicesMax = 16;

/**
 * Templates after Coral (arXiv, May 2026; its offline part): small sets of devices and what each carries, found by simulation. Ours
 * are of one type, because the pool moves work between devices of several types by itself, and include those that many
 * models share, which Coral has not.
 *
 * Of each offer and each set of groups, sizes 1, 2, 4, 8 and 16 until one carries everything; of each size the most
 * slices that it carries, by halving; and the fewest devices that carry everything. At most 5 x 8 + 3 simulations a set,
 * on one seed. An offer has as many sets as it can serve groups, and one of all that share.
 */
export function findTemplates(
  workload: Workload,
  offers: readonly Offer[],
  demand: Demand,
  trials: Trials,
  progress: (text: string) => void,
): readonly Template[] {
  return offers.flatMap((offer) => {
    const find = (groups: readonly Group[]): readonly Template[] => {
      const found = templatesOf(offer, groups, slicesOf(workload, groups, demand), trials);
      const names = groups.map(({ id }) => id).join(", ");
      progress(
        `${offer.type.name}: ${found.length} templates for ${names}, up to ${found.at(-1)?.devices ?? 0} devices`,
      );
      return found;
    };
    const served = demand.groups.filter(({ devices }) => devices.has(offer.type.id));
    const alone = served.map((group) => ({ group, templates: find([group]) }));
    // What it does not carry by itself it does not carry beside others.
    const sharing = alone.filter(({ group, templates }) => !group.isBusy && templates.length > 0);
    const together = sharing.length > 1 ? find(sharing.map(({ group }) => group)) : [];
    return [...alone.flatMap(({ templates }) => templates), ...together];
  });
}

function templatesOf(offer: Offer, groups: readonly Group[], slices: Slices, trials: Trials): readonly Template[] {
  const templates: Template[] = [];
  const most = Math.min(devicesMax, offer.availableMax ?? devicesMax);
  let carried = 0;
  for (let devices = 1; devices <= most && carried < slices.count; devices *= 2) {
    carried = mostCarried(offer, devices, slices, carried, trials);
    if (carried === 0) continue;
    const cover = new Map([...slices.cover(carried)].filter(([, share]) => share > 0));
    const kind = groups[0]!.isBusy ? "dedicated" : "shared";
    templates.push({ offer, devices, kind, groups: groups.map(({ id }) => id), cover });
  }
  return withFewest(templates, offer, slices, trials);
}

/** Between the last size that did not carry everything and the one that did: the fewest devices that do. */
function withFewest(templates: readonly Template[], offer: Offer, slices: Slices, trials: Trials): readonly Template[] {
  const last = templates.at(-1);
  if (last === undefined || !isWhole(last)) return templates;
  let reaching = last.devices;
  let failing = Math.floor(last.devices / 2);
  while (reaching - failing > 1) {
    const middle = Math.floor((reaching + failing) / 2);
    if (trials.run([{ type: offer.type, count: middle }], [slices.take(slices.count)]).isMet) reaching = middle;
    else failing = middle;
  }
  return reaching === last.devices ? templates : [...templates.slice(0, -1), { ...last, devices: reaching }];
}

function isWhole({ cover, groups }: Template): boolean {
  return groups.every((group) => (cover.get(group) ?? 0) > 1 - 1e-9);
}

/** The most slices, from `atLeast` on, which half of the devices carried. */
function mostCarried(offer: Offer, devices: number, slices: Slices, atLeast: number, trials: Trials): number {
  const carries = (count: number): boolean =>
    isQuiet(slices, count) || trials.run([{ type: offer.type, count: devices }], [slices.take(count)]).isMet;
  let carried = atLeast;
  let failing = slices.count + 1;
  // Twice what half of them carried is the likeliest; with nothing known, the middle.
  let next = atLeast === 0 ? Math.ceil(slices.count / 2) : Math.min(slices.count, 2 * atLeast);
  while (failing - carried > 1) {
    if (carries(next)) carried = next;
    else failing = next;
    next = Math.floor((carried + failing) / 2);
  }
  return carried;
}

function isQuiet(slices: Slices, count: number): boolean {
  return slices.take(count).requests.length === 0;
}
