import { nearest } from "../base/index.ts";
import type { Placement } from "./diff.ts";
import { isAbout, shippedAdequacy } from "./facts/adequacy-list.ts";
import type { Certificate, Facts } from "./facts/schema.ts";

/** What a drill takes away. */
export type Loss =
  | { readonly kind: "site"; readonly name: string }
  /** The adequacy of a country, as it is found from the EEA. */
  | { readonly kind: "adequacy"; readonly country: string }
  | { readonly kind: "maker"; readonly name: string }
  /** Every certificate of a scheme. */
  | { readonly kind: "certificate"; readonly scheme: string };

/** The facts with something taken away. */
export function lose(facts: Facts, loss: Loss, nowMs: number): Facts {
  const { withdrawn } = facts;
  switch (loss.kind) {
    case "site":
      return { ...facts, withdrawn: { ...withdrawn, sites: [...withdrawn.sites, loss.name] } };
    case "maker":
      return { ...facts, withdrawn: { ...withdrawn, makers: [...withdrawn.makers, loss.name] } };
    case "adequacy":
      return withoutAdequacy(facts, loss.country, nowMs);
    default:
      return { ...facts, sites: without(facts.sites, loss.scheme), operators: without(facts.operators, loss.scheme) };
  }
}

function withoutAdequacy(facts: Facts, country: string, nowMs: number): Facts {
  const { jurisdictions } = facts;
  const on = `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
  const revoked = [...jurisdictions.revoked, { from: "EEA", to: country, on }];
  return { ...facts, jurisdictions: { ...jurisdictions, revoked } };
}

function without<Holder extends { readonly certificates: Certificate[] }>(holders: readonly Holder[], scheme: string) {
  return holders.map((holder) => ({
    ...holder,
    certificates: holder.certificates.filter((certificate) => certificate.scheme !== scheme),
  }));
}

/** What is wrong with a loss that there is no such thing for, as a sentence; undefined where there is one. */
export function unknownLoss(loss: Loss, facts: Facts, placements: readonly Placement[]): string | undefined {
  switch (loss.kind) {
    case "site":
      return unlessKnown("site", loss.name, sitesOf(facts, placements));
    case "maker":
      return unlessKnown("maker", loss.name, new Set(facts.accelerators.map(({ maker }) => maker)));
    case "adequacy":
      return unlessKnown("adequacy decision", loss.country, adequateCountries(facts));
    default:
      return unlessKnown("certificate", loss.scheme, schemesOf(facts));
  }
}

/** Those of the facts, and those that only the settings know. */
function sitesOf(facts: Facts, placements: readonly Placement[]): ReadonlySet<string> {
  const ran = placements.flatMap(({ candidates }) => candidates.map(({ site }) => site.name));
  return new Set([...facts.sites.map(({ name }) => name), ...ran]);
}

function schemesOf({ sites, operators }: Facts): ReadonlySet<string> {
  return new Set([...sites, ...operators].flatMap(({ certificates }) => certificates.map(({ scheme }) => scheme)));
}

function adequateCountries({ jurisdictions }: Facts): ReadonlySet<string> {
  const decisions = [...shippedAdequacy, ...jurisdictions.adequacy];
  return new Set(decisions.filter((each) => isAbout(each, { from: "EEA", to: each.to })).map(({ to }) => to));
}

function unlessKnown(what: string, name: string, known: ReadonlySet<string>): string | undefined {
  if (known.has(name)) return undefined;
  const meant = nearest(name, known);
  const list = [...known].slice(0, 20).join(", ");
  const hint = meant === undefined ? `there are: ${list === "" ? "none" : list}` : `did you mean "${meant}"?`;
  return `there is no ${what} "${name}" to lose; ${hint}`;
}
