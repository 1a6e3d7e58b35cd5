import { nearest } from "./nearest.ts";

/**
 * The officially assigned codes of ISO 3166-1 alpha-2 (249, as of 2026-01; source: ISO Online Browsing Platform).
 * User-assigned codes (XK and the like) are left out: what they mean is a matter between two parties.
 */
export const countries: ReadonlySet<string> = new Set(
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

/** Codes that people write for the right one. */
const slips: ReadonlyMap<string, string> = new Map([
  ["UK", "GB"],
  ["EL", "GR"],
  ["USA", "US"],
  ["KOREA", "KR"],
]);

/**
 * The country that was probably meant by what is no country's code: "Germany" or "DEU" for DE. `others`: further codes that
 * may have been meant. Undefined for two letters, which are one slip away from dozens of codes.
 */
export function countryMeant(text: string, others: readonly string[] = []): string | undefined {
  const code = text.toUpperCase();
  const slip = slips.get(code);
  if (slip !== undefined || code.length < 3) return slip;
  return code.length > 3 ? byName(code) : nearest(code, [...countries, ...others]);
}

/** "LU" -> "Luxembourg", for people; a code that nobody has assigned stays as it is. */
export function countryName(code: string): string {
  return new Intl.DisplayNames("en", { type: "region" }).of(code) ?? code;
}

/** "Germany" -> "DE": people write names where a code is wanted. */
function byName(text: string): string | undefined {
  const names = new Intl.DisplayNames("en", { type: "region" });
  const codes = new Map([...countries].map((code) => [names.of(code) ?? code, code]));
  const name = nearest(text, codes.keys());
  return name === undefined ? undefined : codes.get(name);
}
