import { countryOf, type Facts, liesWithin, type Place, placeOf, standing, type Standing } from "../policy/index.ts";
import { type Backing, backingOf, bySettings, counts } from "./evidence.ts";
import type { LiveDestination, LiveState } from "./live-state.ts";

/** A destination with all that holds of where it is. */
export interface PlacedDestination {
  readonly destination: LiveDestination;
  readonly place: Place;
  /** What the site rests on. */
  readonly siteBacking: Backing;
}

export type Accelerator = Facts["accelerators"][number];

/** What rules look at: the state, and what follows from its facts now. */
export interface Scene {
  readonly state: LiveState;
  readonly standing: Standing;
  readonly destinations: readonly PlacedDestination[];
  readonly gateway: Place;
  /** Each once, by name: what destinations' models are called. */
  readonly models: readonly string[];
}

export function sceneOf(state: LiveState): Scene {
  const now = standing(state.facts, state.atMs);
  const destinations = state.destinations
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((destination) => ({
      destination,
      place: placeOf(destination, now),
      siteBacking: siteBacking(destination.site.name, state),
    }));
  const gateway = placeOf({ kind: "site", name: state.gatewaySite.name, site: state.gatewaySite }, now);
  const models = [...new Set(destinations.flatMap(({ destination }) => destination.models.map(({ name }) => name)))];
  return { state, standing: now, destinations, gateway, models: models.sort() };
}

export function siteBacking(site: string, { facts, atMs }: Pick<LiveState, "facts" | "atMs">): Backing {
  const declared = facts.sites.find(({ name }) => name === site);
  return declared !== undefined && counts(declared.evidence, atMs) ? backingOf(declared.evidence) : bySettings;
}

/** What a company rests on; the site's own evidence where no facts speak of the company. */
export function companyBacking(
  operator: string | undefined,
  { facts, atMs }: Pick<LiveState, "facts" | "atMs">,
): Backing {
  const declared = facts.operators.find(({ name }) => name === operator);
  return declared !== undefined && counts(declared.evidence, atMs) ? backingOf(declared.evidence) : bySettings;
}

export function isEuropean(jurisdiction: string): boolean {
  return liesWithin(jurisdiction, "EEA");
}

/** "site berlin (DE)", "upstream away at site us (US)". */
export function nameOf({ destination, place }: Pick<PlacedDestination, "destination" | "place">): string {
  const where = `site ${destination.site.name} (${place.jurisdiction ?? "no jurisdiction declared"})`;
  return destination.kind === "upstream" ? `upstream ${destination.name} at ${where}` : where;
}

/** The parts of a machine on this installation's own premises: an upstream's are its operator's. */
export function hostsOf({ destinations }: Scene): readonly PlacedDestination[] {
  return destinations.filter(({ destination }) => destination.kind === "host");
}

/** The accelerators of a host, as the facts have them; undefined where they do not say, or do not count. */
export function acceleratorsOf(host: string, { facts, atMs }: LiveState): readonly Accelerator[] | undefined {
  const declared = facts.hosts.find(({ name }) => name === host);
  if (declared === undefined || declared.accelerators.length === 0 || !counts(declared.evidence, atMs))
    return undefined;
  const parts = declared.accelerators.map((name) => facts.accelerators.find((part) => part.name === name)!);
  return parts.every(({ evidence }) => counts(evidence, atMs)) ? parts : undefined;
}

type Engine = NonNullable<Facts["engines"]>[number];

/** What the facts say of the engine of a host or an upstream; undefined where they do not, or do not count. */
export function engineOf(destination: string, { facts, atMs }: LiveState): Engine | undefined {
  const declared = facts.hosts.find(({ name }) => name === destination);
  if (declared?.engine === undefined || !counts(declared.evidence, atMs)) return undefined;
  const engine = facts.engines?.find(({ name }) => name === declared.engine);
  return engine !== undefined && counts(engine.evidence, atMs) ? engine : undefined;
}

/** Jurisdictions of a company, or from which a site is reached, that are outside the EEA. */
export function outside(jurisdictions: readonly string[]): readonly string[] {
  return [...new Set(jurisdictions.filter((each) => !isEuropean(countryOf(each))))].sort();
}
