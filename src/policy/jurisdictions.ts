import { nearest } from "../base/index.ts";

/**
 * The officially assigned codes of ISO 3166-1 alpha-2 (249, as of 2026-01; source: ISO Online Browsing Platform).
 * User-assigned codes (XK and the like) are left out: what they mean is a matter between two parties.
 */
const countries: ReadonlySet<string> = new Set(
  (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ " +
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO " +
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE " +
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO " +
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW " +
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM " +
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
  ).split(" "),
);

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

/** Codes that people write for the right one. */
const slips: ReadonlyMap<string, string> = new Map([
  ["UK", "GB"],
  ["EL", "GR"],
  ["USA", "US"],
  ["EUROPE", "EU"],
  ["KOREA", "KR"],
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
  return unknown(text, countries);
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
  return unknown(text, [...countries, ...groups.keys()], nearest(code, Object.keys(ownGroups)));
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

function unknown(text: string, candidates: Iterable<string>, meant?: string): CheckedJurisdiction {
  const code = text.toUpperCase();
  const suggestion = meant ?? slips.get(code) ?? nearestCode(code, candidates);
  const message = `"${text.slice(0, 60)}" is not an ISO 3166 code${suggestion === undefined ? "" : `; did you mean "${suggestion}"?`}`;
  return { outcome: "unknown", message, nearest: suggestion };
}

/** Two letters are one slip away from dozens of codes: which of them was meant, nobody can tell. */
function nearestCode(code: string, candidates: Iterable<string>): string | undefined {
  if (code.length > 3) return byName(code);
  return code.length === 3 ? nearest(code, candidates) : undefined;
}

/** "Germany" -> "DE": people write names where a code is wanted. */
function byName(text: string): string | undefined {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const codes = new Map([...countries].map((code) => [names.of(code) ?? code, code]));
  const name = nearest(text, codes.keys());
  return name === undefined ? undefined : codes.get(name);
}
