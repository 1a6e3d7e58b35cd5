import {
  adequateAmong,
  type EngineStanding,
  type HostStanding,
  type OperatorStanding,
  placesOf,
  type SiteStanding,
  type Standing,
} from "./facts/standing.ts";
import type { HeldFromOutside } from "./facts/ownership.ts";
import { countryOf, liesWithin } from "./jurisdictions.ts";
import type { Candidate } from "./question.ts";

/** Who receives the data at a place. */
interface Importer {
  readonly operator: string | undefined;
  readonly seat: string | undefined;
  readonly seatWithin: readonly string[];
  readonly establishments: readonly string[];
  readonly law: readonly string[];
  readonly access: readonly string[] | undefined;
  readonly adequate: readonly string[];
  readonly certificates: readonly string[];
}

/** A candidate with all that holds of it now. */
export interface Place {
  readonly jurisdiction: string | undefined;
  readonly country: string | undefined;
  readonly within: readonly string[];
  readonly certificates: readonly string[];
  readonly evidence: string | undefined;
  readonly makers: readonly string[] | undefined;
  readonly makerCountries: readonly string[] | undefined;
  readonly engine: EngineStanding | undefined;
  readonly isWithdrawn: boolean;
  readonly importer: Importer;
  readonly ownership: HeldFromOutside;
  /** Why the jurisdiction counts as undeclared although somebody has declared one; a clause. */
  readonly doubt: string | undefined;
}

/** Of a company that nobody has declared, all may be held by anybody. */
const nobodyKnows: HeldFromOutside = {
  largestVotesPercent: "100.0",
  largestCapitalPercent: "100.0",
  votesPercent: "100.0",
  capitalPercent: "100.0",
  hasRights: true,
};

/** What holds of a candidate. Where the settings and the facts contradict each other, it is as if neither had spoken. */
export function placeOf({ kind, name, site }: Candidate, standing: Standing): Place {
  const host = kind === "site" ? undefined : standing.hosts.get(name);
  const declared = standing.sites.get(site.name);
  const doubt = doubtOf(name, site, declared, host);
  const at = doubt === undefined ? (declared ?? settingsSite(site)) : settingsSite({ ...site, ...nothingSaid });
  const { jurisdiction } = at;
  const operator = at.operator === undefined ? undefined : standing.operators.get(at.operator);
  return {
    jurisdiction,
    country: jurisdiction === undefined ? undefined : countryOf(jurisdiction),
    within: placesOf(jurisdiction, standing),
    certificates: at.certificates,
    evidence: at.evidence,
    makers: host?.makers,
    makerCountries: host?.makerCountries,
    engine: host?.engine,
    isWithdrawn: standing.withdrawnSites.has(site.name) || (host?.withdrawnMakers.length ?? 0) > 0,
    importer: importerOf(at.operator, operator, jurisdiction, at.accessFrom, standing),
    ownership: operator?.heldFromOutsideEu ?? nobodyKnows,
    doubt,
  };
}

/**
 * Where what the settings say of a candidate does not go together with the facts, as sentences. The facts count, but for
 * where it stands: of two jurisdictions of which neither holds the other, none counts.
 */
export function contradictions({ name, site }: Candidate, standing: Standing): readonly string[] {
  const declared = standing.sites.get(site.name);
  const doubt = doubtOf(name, site, declared, standing.hosts.get(name));
  const placed = doubt === undefined ? [] : [`${capital(doubt)}: its jurisdiction counts as undeclared.`];
  const { operator } = site;
  if (declared === undefined || operator === undefined || operator === declared.operator) return placed;
  const said = `The settings say that site "${site.name}" is run by "${operator}", the facts say "${declared.operator}"`;
  return [...placed, `${said}: the facts count.`];
}

function capital(clause: string): string {
  return clause[0]!.toUpperCase() + clause.slice(1);
}

const nothingSaid = { jurisdiction: undefined, operator: undefined };

interface SettingsSite {
  readonly name: string;
  readonly jurisdiction: string | undefined;
  readonly operator?: string | undefined;
}

function settingsSite({ name, jurisdiction, operator }: SettingsSite): SiteStanding {
  const unknown = { accessFrom: undefined, certificates: [] };
  const evidence = jurisdiction === undefined ? undefined : "operator-attested";
  return { name, jurisdiction, operator, ...unknown, evidence };
}

function doubtOf(
  name: string,
  site: Candidate["site"],
  declared: SiteStanding | undefined,
  host: HostStanding | undefined,
): string | undefined {
  if (host !== undefined && host.site === undefined)
    return `the evidence for where "${name}" stands does not count now`;
  if (host !== undefined && host.site !== site.name) return `the facts put "${name}" at site "${host.site}"`;
  if (declared === undefined) return undefined;
  if (declared.jurisdiction === undefined) return `the evidence for site "${site.name}" does not count now`;
  if (site.jurisdiction !== undefined && !agree(site.jurisdiction, declared.jurisdiction)) {
    return `the settings put site "${site.name}" in ${site.jurisdiction}, the facts in ${declared.jurisdiction}`;
  }
  return undefined;
}

/** One may be said more closely than the other. */
function agree(a: string, b: string): boolean {
  return liesWithin(a, b) || liesWithin(b, a);
}

function importerOf(
  name: string | undefined,
  operator: OperatorStanding | undefined,
  jurisdiction: string | undefined,
  accessFrom: readonly string[] | undefined,
  standing: Standing,
): Importer {
  const country = jurisdiction === undefined ? [] : [countryOf(jurisdiction)];
  const law = [...new Set([...country, ...(operator ? [operator.seat, ...operator.subjectTo] : [])])];
  const certificates = operator?.certificates ?? [];
  const all = [...new Set([...law, ...(accessFrom ?? [])])];
  return {
    operator: name,
    seat: operator?.seat,
    seatWithin: placesOf(operator?.seat, standing),
    establishments: operator?.establishments ?? [],
    law,
    access: accessFrom,
    adequate: adequateAmong(all, certificates, standing),
    certificates,
  };
}
