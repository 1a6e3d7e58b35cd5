import type { Placement } from "./diff.ts";
import { knownSites } from "./explain.ts";
import type { Facts } from "./facts/schema.ts";
import { knownSchemes } from "./facts/values.ts";
import type { Loss } from "./losses.ts";
import { placeOf } from "./places.ts";
import type { Policy } from "./policy.ts";

/** The least that would have kept a request. */
export type Remedy =
  /** A site that is known and would permit it: nothing but room there is needed. */
  | { readonly kind: "site"; readonly name: string }
  /** One of several losses, had it not come. */
  | { readonly kind: "loss"; readonly loss: Loss }
  /** A certificate in force for a site. */
  | { readonly kind: "certificate"; readonly site: string; readonly scheme: string }
  /** An adequacy decision about a country that is reached. */
  | { readonly kind: "adequacy"; readonly country: string }
  /** Nobody reaching a site from elsewhere. */
  | { readonly kind: "access"; readonly site: string }
  /** Evidence that counts again. */
  | { readonly kind: "evidence"; readonly of: "site" | "operator"; readonly name: string };

interface Ground {
  /** After the losses. */
  readonly facts: Facts;
  /** For each of several losses: the facts with all the others. */
  readonly others: readonly { readonly loss: Loss; readonly facts: Facts }[];
  readonly policyOf: (facts: Facts) => Policy;
  readonly nowMs: number;
}

/** Tries what could have kept a placement, from what asks least to what asks most, one thing at a time. */
export function remedyFinder(ground: Ground): (placement: Placement) => Remedy | undefined {
  const here = ground.policyOf(ground.facts);
  const sites = knownSites(here.standing());
  const whatIfs = new Map<string, Policy>();
  const found = new Map<string, Remedy | undefined>();

  function wouldKeep({ key, facts }: WhatIf, { question, candidates }: Placement): boolean {
    const policy = whatIfs.get(key) ?? ground.policyOf(facts());
    whatIfs.set(key, policy);
    return policy.decide(question, candidates).outcome === "permitted";
  }

  function find(placement: Placement): Remedy | undefined {
    const known = new Set(placement.candidates.map(({ site }) => site.name));
    const elsewhere = sites.filter(({ name }) => !known.has(name));
    const site = elsewhere.find((candidate) => here.judge(placement.question, candidate).isPermitted);
    if (site !== undefined) return { kind: "site", name: site.name };
    return whatIfsFor(placement, ground, here).find((whatIf) => wouldKeep(whatIf, placement))?.remedy;
  }

  return (placement) => {
    // Many requests ask the same.
    const key = JSON.stringify([placement.question, placement.candidates.map(({ name, site }) => [name, site])]);
    if (!found.has(key)) found.set(key, find(placement));
    return found.get(key);
  };
}

/** Facts with one thing changed; they are made when they are looked at. */
interface WhatIf {
  readonly key: string;
  readonly remedy: Remedy;
  readonly facts: () => Facts;
}

function whatIfsFor({ candidates }: Placement, ground: Ground, here: Policy): readonly WhatIf[] {
  const { facts, others, nowMs } = ground;
  const names = new Set(candidates.map(({ site }) => site.name));
  const sites = facts.sites.filter(({ name }) => names.has(name));
  const operators = new Set(sites.map(({ operator }) => operator));
  return [
    ...others.map(({ loss, facts }) => whatIf({ kind: "loss", loss }, () => facts)),
    ...sites.map(({ name }) => evidenceFor(facts, "sites", name, nowMs)),
    ...[...operators].map((name) => evidenceFor(facts, "operators", name, nowMs)),
    ...sites.flatMap(({ name }) => knownSchemes.map((scheme) => certificateFor(facts, name, scheme, nowMs))),
    ...outsideCountries(candidates, here).map((country) => adequacyFor(facts, country, nowMs)),
    ...sites.map(({ name }) => accessFor(facts, name)),
  ];
}

function whatIf(remedy: Remedy, facts: () => Facts): WhatIf {
  return { key: JSON.stringify(remedy), remedy, facts };
}

/** Countries that reach the data at a candidate, and are not adequate. */
function outsideCountries(candidates: Placement["candidates"], here: Policy): readonly string[] {
  const standing = here.standing();
  const outside = candidates.flatMap((candidate) => {
    const { law, access = [], adequate } = placeOf(candidate, standing).importer;
    return [...law, ...access].filter((each) => !adequate.includes(each));
  });
  return [...new Set(outside.map((each) => each.slice(0, 2)))];
}

const supposed = (nowMs: number) => ({ class: "operator-attested" as const, on: dayOf(nowMs) });

function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

function evidenceFor(facts: Facts, list: "sites" | "operators", name: string, nowMs: number): WhatIf {
  const evidence = supposed(nowMs);
  const renewed = <Named extends { readonly name: string }>(items: readonly Named[]) =>
    items.map((item) => (item.name === name ? { ...item, evidence } : item));
  const remedy: Remedy = { kind: "evidence", of: list === "sites" ? "site" : "operator", name };
  return whatIf(remedy, () =>
    list === "sites" ? { ...facts, sites: renewed(facts.sites) } : { ...facts, operators: renewed(facts.operators) },
  );
}

function certificateFor(facts: Facts, site: string, scheme: string, nowMs: number): WhatIf {
  const day = dayOf(nowMs);
  const certificate = { scheme, scope: "supposed", issuedOn: day, expiresOn: day, evidence: supposed(nowMs) };
  return whatIf({ kind: "certificate", site, scheme }, () => ({
    ...facts,
    sites: facts.sites.map((each) =>
      each.name === site ? { ...each, certificates: [...each.certificates, certificate] } : each,
    ),
  }));
}

function adequacyFor(facts: Facts, country: string, nowMs: number): WhatIf {
  const { adequacy, revoked } = facts.jurisdictions;
  const decision = { from: "EEA", to: country, decidedOn: dayOf(nowMs), source: "supposed" };
  const left = revoked.filter(({ to }) => to !== country);
  const jurisdictions = { ...facts.jurisdictions, adequacy: [...adequacy, decision], revoked: left };
  return whatIf({ kind: "adequacy", country }, () => ({ ...facts, jurisdictions }));
}

function accessFor(facts: Facts, site: string): WhatIf {
  return whatIf({ kind: "access", site }, () => ({
    ...facts,
    sites: facts.sites.map((each) => (each.name === site ? { ...each, accessFrom: [] } : each)),
  }));
}
