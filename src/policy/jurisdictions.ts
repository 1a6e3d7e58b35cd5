import { countries, countryMeant, nearest } from "../base/index.ts";

/**
 * The 27 member states since 2020-02-01 (Treaty on European Union, Art. 52, after the United Kingdom's withdrawal).
 * Territories with a code of their own (Reunion's RE, Aland's AX) are not in it, although EU law holds in some: a site
 * there names itself by its country's subdivision (FR-974), or a project names the territory.
 */
const europeanUnion = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split(" ");

/** The EU and the three EFTA states of the EEA Agreement (Art. 126; OJ L 1, 3.1.1994; Liechtenstein since 1995-05-01). */
const europeanEconomicArea = [...europeanUnion, "IS", "LI", "NO"];

const groups: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["EU", new Set(europeanUnion)],
  ["EEA", new Set(europeanEconomicArea)],
]);

/** The version of the lists above: it goes into each decision's digest. */
export const jurisdictionsVersion = "2026-01";

/** ISO 3166-2's form: a country, a hyphen, one to three letters or digits. The list of some 5,000 is not kept here. */
const subdivisionPattern = /^([A-Z]{2})-[A-Z0-9]{1,3}$/;

/** What people write for a group's code. */
const slips: ReadonlyMap<string, string> = new Map([
  ["EUROPE", "EU"],
  ["EWR", "EEA"],
]);

export type CheckedJurisdiction =
  | { readonly outcome: "known"; readonly code: string }
  /** `message` is a phrase without its full stop, and names `nearest` where there is one. */
  | { readonly outcome: "unknown"; readonly message: string; readonly nearest: string | undefined };

/** A place that a site may lie in: a country ("DE") or one of its subdivisions ("DE-BE"). Case does not matter. */
export function checkJurisdiction(text: string): CheckedJurisdiction {
  const code = text.toUpperCase();
  const country = subdivisionPattern.exec(code)?.[1] ?? code;
  if (countries.has(country)) return { outcome: "known", code };
  if (groups.has(code)) {
    const message = `"${code}" is a group of countries; a site lies in one of them`;
    return { outcome: "unknown", message, nearest: undefined };
  }
  return unknown(text);
}

/**
 * What a project may name as a place where its data is processed: a country, a subdivision, or a group: "EU", "EEA" or one
 * of the operator's own.
 */
export function checkProcessing(text: string, ownGroups: OwnGroups = {}): CheckedJurisdiction {
  const code = text.toUpperCase();
  if (groups.has(code) || Object.hasOwn(ownGroups, code)) return { outcome: "known", code };
  const checked = checkJurisdiction(code);
  if (checked.outcome === "known") return checked;
  return unknown(text, [...groups.keys()], nearest(code, Object.keys(ownGroups)));
}

/** Whether a site's jurisdiction lies within an allowed country, subdivision or group. */
export function liesWithin(jurisdiction: string, allowed: string): boolean {
  if (jurisdiction === allowed) return true;
  const country = countryOf(jurisdiction);
  return allowed === country || groups.get(allowed)?.has(country) === true;
}

/** "DE-BE" -> "DE". */
export function countryOf(jurisdiction: string): string {
  return jurisdiction.slice(0, 2);
}

/** Groups of an operator's own, by their names; their members are countries, subdivisions, EU or EEA. */
export type OwnGroups = Readonly<Record<string, readonly string[]>>;

/** Every place that holds a jurisdiction, itself first: "DE-BE" lies in DE-BE, DE, EU, EEA and in own groups with any of these. */
export function placesAround(jurisdiction: string, ownGroups: OwnGroups = {}): readonly string[] {
  const around = [jurisdiction, countryOf(jurisdiction), ...groups.keys()];
  const own = Object.entries(ownGroups).filter(([, members]) => members.some((at) => liesWithin(jurisdiction, at)));
  return [...new Set([...around.filter((place) => liesWithin(jurisdiction, place)), ...own.map(([name]) => name)])];
}

function unknown(text: string, others: readonly string[] = [], meant?: string): CheckedJurisdiction {
  const suggestion = meant ?? slips.get(text.toUpperCase()) ?? countryMeant(text, others);
  const message = `"${text.slice(0, 60)}" is not an ISO 3166 code${suggestion === undefined ? "" : `; did you mean "${suggestion}"?`}`;
  return { outcome: "unknown", message, nearest: suggestion };
}
