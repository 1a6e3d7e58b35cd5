/** Who asks, and where each kind of data may be: said here by hand, so that what the cloud does is held against it. */
import type { SiteName } from "./facts.ts";

export const dataClasses = ["public", "internal", "personal", "special-category", "restricted"] as const;
export type DataClass = (typeof dataClasses)[number];

export interface Tenant {
  /** The name of its organisation; its one project is `main`. */
  readonly name: string;
  readonly says: string;
  /** What its project declares. */
  readonly project: {
    readonly dataClass: DataClass;
    readonly processing: readonly string[];
    readonly regimes?: readonly string[];
    readonly country?: string;
  };
  /** Where a request may run that calls its data so; nowhere: it has to be refused. */
  readonly permitted: Readonly<Record<DataClass, readonly SiteName[]>>;
}

const always = (...sites: readonly SiteName[]): Tenant["permitted"] => ({
  public: sites,
  internal: sites,
  personal: sites,
  "special-category": sites,
  restricted: sites,
});

export const tenants: readonly Tenant[] = [
  {
    name: "hospital",
    says: "patients' records: Germany and France, German health law",
    project: {
      dataClass: "special-category",
      processing: ["DE", "FR"],
      regimes: ["eu-personal-data", "de-health"],
    },
    permitted: always("de", "fr"),
  },
  {
    name: "clinic",
    says: "images of patients: France alone, French health law",
    project: { dataClass: "special-category", processing: ["FR"], regimes: ["eu-personal-data", "fr-health"] },
    permitted: always("fr"),
  },
  {
    name: "ministry",
    says: "files of a state: Germany, its companies and its law alone",
    project: { dataClass: "restricted", processing: ["DE"], regimes: ["national"], country: "DE" },
    permitted: always("de"),
  },
  {
    name: "press",
    says: "what is published anyway: anywhere",
    project: { dataClass: "public", processing: [] },
    permitted: {
      ...always("de", "fr", "us"),
      // No C5 attestation is in force in the United States.
      "special-category": ["de", "fr"],
      // The regime national holds for restricted data, and this project names no country.
      restricted: [],
    },
  },
  {
    name: "shop",
    says: "customers' orders: the European Union, GDPR",
    project: { dataClass: "personal", processing: ["EU"] },
    permitted: { ...always("de", "fr"), restricted: [] },
  },
  {
    name: "studio",
    says: "support of customers in the United States, GDPR: under the Data Privacy Framework",
    project: { dataClass: "personal", processing: ["US"] },
    permitted: { ...always("us"), "special-category": [], restricted: [] },
  },
];
