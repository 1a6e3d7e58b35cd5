/** What the operator of the demo declares: three sites of three companies, invented, in the shape of docs/reference/policy.md. */
import { cpus } from "node:os";

/** The sites, with where each stands; the gateway stands at the first one. */
export const sites = [
  { name: "de", jurisdiction: "DE", operator: "Netz GmbH", place: "Berlin" },
  { name: "fr", jurisdiction: "FR", operator: "Reseau SA", place: "Paris" },
  { name: "us", jurisdiction: "US", operator: "Wires Inc", place: "Ashburn" },
] as const;
export type SiteName = (typeof sites)[number]["name"];

/** Where each site lies, as a customer knows it: the map that receipts are held against. */
export const jurisdictions: Readonly<Record<string, string>> = Object.fromEntries(
  sites.map(({ name, jurisdiction }) => [name, jurisdiction]),
);

const attested = { class: "operator-attested", on: "2026-01-15" };
const audited = { class: "third-party-attested", on: "2026-02-01" };
const dates = { issuedOn: "2026-02-01", expiresOn: "2029-01-31" };
const certificate = (scheme: string, scope: string) => ({ scheme, scope, ...dates, evidence: audited });
const founder = (country: string) => [{ name: "a founder", country, votesPercent: 100, capitalPercent: 100 }];

const operators = [
  { name: "Netz GmbH", seat: "DE", owners: founder("DE"), evidence: attested },
  { name: "Reseau SA", seat: "FR", establishments: ["DE"], owners: founder("FR"), evidence: attested },
  {
    name: "Wires Inc",
    seat: "US",
    owners: founder("US"),
    certificates: [certificate("EU-US-DPF", "the company, as a recipient of personal data")],
    evidence: attested,
  },
];

const certificates: Readonly<Record<SiteName, readonly object[]>> = {
  de: [certificate("C5-type-2", "the hall in Berlin")],
  fr: [certificate("C5-type-2", "the hall in Paris"), certificate("HDS", "the hall in Paris")],
  us: [],
};

/** The document of facts; `hosts` says which host has joined at which site. */
export function factsOf(hosts: ReadonlyMap<SiteName, string>): object {
  const processor = cpus()[0]?.model ?? "unknown";
  const maker = /AMD/.test(processor) ? ["AMD", "US"] : /Intel/.test(processor) ? ["Intel", "US"] : ["Arm", "GB"];
  return {
    operators,
    sites: sites.map(({ name, jurisdiction, operator, place }) => ({
      name,
      jurisdiction,
      operator,
      place,
      accessFrom: [jurisdiction],
      certificates: certificates[name],
      power: { supplier: `Power of ${place}`, country: jurisdiction, renewablePercent: 80 },
      evidence: attested,
    })),
    hosts: [...hosts].map(([site, name]) => ({ name, site, accelerators: ["cpu"], evidence: attested })),
    accelerators: [{ name: "cpu", maker: maker[0], makerCountry: maker[1], evidence: attested }],
  };
}

/** Which regimes hold for the data of projects that name none. */
export const policies = {
  regimes: {
    personal: ["eu-personal-data"],
    "special-category": ["eu-personal-data", "de-health"],
    restricted: ["national"],
  },
};
