import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson } from "../../base/index.ts";
import { liesWithin, type OwnGroups, placesAround } from "../jurisdictions.ts";
import { type Adequacy, adequacyListVersion, isAbout, shippedAdequacy } from "./adequacy-list.ts";
import { type Evidence, spanOf } from "./evidence.ts";
import { Horizon } from "./moments.ts";
import { type Companies, type HeldFromOutside, heldFromOutside } from "./ownership.ts";
import { factsDigest } from "./parse.ts";
import type { Certificate, Facts, Operator, Site } from "./schema.ts";

/** A company as it stands now. */
export interface OperatorStanding {
  readonly name: string;
  readonly seat: string;
  /** Countries in which it is established, its seat among them. */
  readonly establishments: readonly string[];
  readonly subjectTo: readonly string[];
  /** Schemes of the certificates in force. */
  readonly certificates: readonly string[];
  readonly heldFromOutsideEu: HeldFromOutside;
}

/** A site as it stands now. */
export interface SiteStanding {
  readonly name: string;
  /** Undefined where the evidence for it does not count: then it is as if nobody had said where it stands. */
  readonly jurisdiction: string | undefined;
  /** The operator's name; undefined as above. */
  readonly operator: string | undefined;
  readonly accessFrom: readonly string[] | undefined;
  readonly certificates: readonly string[];
  readonly evidence: Evidence["class"] | undefined;
}

/** A host or upstream as it stands now. */
export interface HostStanding {
  readonly name: string;
  /** Undefined where the evidence for it does not count. */
  readonly site: string | undefined;
  /** Makers of its accelerators; undefined where they are not known. */
  readonly makers: readonly string[] | undefined;
  readonly makerCountries: readonly string[] | undefined;
  /** What computes its models; undefined where nobody has said, or the evidence for either does not count. */
  readonly engine: EngineStanding | undefined;
  /** Makers of its accelerators that are withdrawn, whatever their evidence. */
  readonly withdrawnMakers: readonly string[];
}

export interface EngineStanding {
  readonly name: string;
  readonly developer: string;
  readonly developerCountry: string;
  readonly licence: string;
  readonly build: string | undefined;
  readonly sha256: string | undefined;
}

export interface ModelStanding {
  readonly name: string;
  readonly developer: string;
  readonly developerCountry: string;
  readonly licence: string;
  readonly sha256: string | undefined;
}

/** What holds at one moment, and until when: a decision can be kept until `changesAtMs`. */
export interface Standing {
  /** Lower-case hex SHA-256 of all that holds; the same id means the same answers. */
  readonly id: string;
  /** The document's digest. */
  readonly factsDigest: string;
  /** The next moment at which something begins or expires. */
  readonly changesAtMs: number;
  readonly groups: OwnGroups;
  readonly operators: ReadonlyMap<string, OperatorStanding>;
  readonly sites: ReadonlyMap<string, SiteStanding>;
  readonly hosts: ReadonlyMap<string, HostStanding>;
  readonly models: ReadonlyMap<string, ModelStanding>;
  readonly withdrawnSites: ReadonlySet<string>;
  /** Decisions from the EU or the EEA that hold. */
  readonly adequacy: readonly Adequacy[];
  /** The year in China, in which exports of personal data are counted. */
  readonly yearInChina: number;
}

/** Reduces a document to what holds at a moment (milliseconds since 1970). */
export function standing(facts: Facts, nowMs: number): Standing {
  const horizon = new Horizon(nowMs);
  const operators = operatorsOf(facts, horizon);
  const found = {
    groups: facts.jurisdictions.groups,
    operators,
    sites: byName(facts.sites.map((site) => siteStanding(site, horizon))),
    hosts: hostsOf(facts, horizon),
    models: modelsOf(facts, horizon),
    withdrawnSites: new Set(facts.withdrawn.sites),
    adequacy: adequacyOf(facts, horizon),
    yearInChina: yearInChina(horizon),
  };
  const digest = factsDigest(facts);
  return { ...found, id: idOf(found, digest), factsDigest: digest, changesAtMs: horizon.changesAtMs! };
}

function idOf(found: Omit<Standing, "id" | "factsDigest" | "changesAtMs">, digest: string): string {
  const values = { list: adequacyListVersion, facts: digest, ...found };
  const plain = JSON.parse(JSON.stringify(values, (_, value: unknown) => listed(value))) as CanonicalValue;
  return createHash("sha256").update(canonicalJson(plain)).digest("hex");
}

function listed(value: unknown): unknown {
  return value instanceof Map || value instanceof Set ? [...value] : value;
}

function operatorsOf(facts: Facts, horizon: Horizon): ReadonlyMap<string, OperatorStanding> {
  const counting = facts.operators.filter(({ evidence }) => horizon.holds(spanOf(evidence)));
  const companies: Companies = new Map(counting.map(({ name, seat, owners }) => [name, { seat, owners }]));
  return byName(counting.map((operator) => operatorStanding(operator, companies, horizon)));
}

function operatorStanding(operator: Operator, companies: Companies, horizon: Horizon): OperatorStanding {
  const { name, seat, establishments, subjectTo, certificates } = operator;
  return {
    name,
    seat,
    establishments: [...new Set([seat, ...establishments])],
    subjectTo,
    certificates: inForce(certificates, horizon),
    heldFromOutsideEu: heldFromOutside(name, companies, (country) => liesWithin(country, "EU")),
  };
}

function siteStanding(site: Site, horizon: Horizon): SiteStanding {
  const { name, jurisdiction, operator, accessFrom, evidence } = site;
  const certificates = inForce(site.certificates, horizon);
  if (!horizon.holds(spanOf(evidence))) {
    const unknown = { jurisdiction: undefined, operator: undefined, accessFrom: undefined, evidence: undefined };
    return { name, ...unknown, certificates };
  }
  return { name, jurisdiction, operator, accessFrom, certificates, evidence: evidence.class };
}

/** Both must hold: the certificate itself, and what shows that there is one. */
function inForce(certificates: readonly Certificate[], horizon: Horizon): readonly string[] {
  const held = certificates.filter(({ issuedOn, expiresOn, evidence }) => {
    const holds = horizon.holds({ from: issuedOn, until: expiresOn });
    return horizon.holds(spanOf(evidence)) && holds;
  });
  return [...new Set(held.map(({ scheme }) => scheme))].sort();
}

function hostsOf(facts: Facts, horizon: Horizon): ReadonlyMap<string, HostStanding> {
  const banned = new Set(facts.withdrawn.makers);
  const accelerators = byName(
    facts.accelerators.map((each) => ({ ...each, counts: horizon.holds(spanOf(each.evidence)) })),
  );
  const engines = enginesOf(facts, horizon);
  return byName(
    facts.hosts.map((host) => {
      const counts = horizon.holds(spanOf(host.evidence));
      const parts = host.accelerators.map((name) => accelerators.get(name)!);
      const known = counts && parts.every((part) => part.counts);
      return {
        name: host.name,
        site: counts ? host.site : undefined,
        makers: known ? [...new Set(parts.map(({ maker }) => maker))].sort() : undefined,
        makerCountries: known ? [...new Set(parts.map(({ makerCountry }) => makerCountry))].sort() : undefined,
        engine: counts && host.engine !== undefined ? engines.get(host.engine) : undefined,
        withdrawnMakers: [...new Set(parts.map(({ maker }) => maker))].filter((maker) => banned.has(maker)),
      };
    }),
  );
}

function enginesOf({ engines = [] }: Facts, horizon: Horizon): ReadonlyMap<string, EngineStanding> {
  const counting = engines.filter(({ evidence }) => horizon.holds(spanOf(evidence)));
  return byName(
    counting.map(({ name, developer, developerCountry, licence, build, sha256 }) => ({
      name,
      developer,
      developerCountry,
      licence,
      build,
      sha256,
    })),
  );
}

function modelsOf(facts: Facts, horizon: Horizon): ReadonlyMap<string, ModelStanding> {
  const counting = facts.models.filter(({ evidence }) => horizon.holds(spanOf(evidence)));
  return byName(
    counting.map(({ name, developer, developerCountry, licence, sha256 }) => ({
      name,
      developer,
      developerCountry,
      licence,
      sha256,
    })),
  );
}

function adequacyOf(facts: Facts, horizon: Horizon): readonly Adequacy[] {
  const { adequacy, revoked } = facts.jurisdictions;
  return [...shippedAdequacy, ...adequacy].filter((decision) => {
    const ends = revoked.filter((end) => isAbout(end, decision)).map(({ on }) => horizon.holds({ from: on }));
    const holds = horizon.holds({ from: decision.decidedOn, until: decision.until });
    return holds && !ends.includes(true) && isAbout(decision, { from: "EEA", to: decision.to });
  });
}

/** The jurisdictions of a list that lie in the EEA, or that a decision covers for an operator with these certificates. */
export function adequateAmong(
  jurisdictions: readonly string[],
  certificates: readonly string[],
  { adequacy }: Pick<Standing, "adequacy">,
): readonly string[] {
  return jurisdictions.filter(
    (each) => liesWithin(each, "EEA") || adequacyFor(each, certificates, { adequacy }) !== undefined,
  );
}

/** The decision that covers a jurisdiction for an operator with these certificates. */
export function adequacyFor(
  jurisdiction: string,
  certificates: readonly string[],
  { adequacy }: Pick<Standing, "adequacy">,
): Adequacy | undefined {
  return adequacy.find(
    ({ to, scheme }) => liesWithin(jurisdiction, to) && (scheme === undefined || certificates.includes(scheme)),
  );
}

/** All that holds a jurisdiction: the country, EU, EEA, and an operator's own groups. */
export function placesOf(jurisdiction: string | undefined, { groups }: Pick<Standing, "groups">): readonly string[] {
  return jurisdiction === undefined ? [] : placesAround(jurisdiction, groups);
}

const chinaAheadMs = 8 * 3_600_000;

/** China has one time zone and no summer time: its year begins eight hours before that of UTC. */
function yearInChina(horizon: Horizon): number {
  const year = new Date(horizon.nowMs + chinaAheadMs).getUTCFullYear();
  horizon.note(Date.UTC(year + 1, 0, 1) - chinaAheadMs);
  return year;
}

function byName<Named extends { readonly name: string }>(items: readonly Named[]): ReadonlyMap<string, Named> {
  return new Map(items.map((item) => [item.name, item]));
}
