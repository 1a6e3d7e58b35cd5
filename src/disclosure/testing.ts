import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type Facts, type FactsInput, parseFacts } from "../policy/index.ts";
import type { LiveDestination, LiveState, PlacedSum, Recorded } from "./live-state.ts";

export const testNowMs = Date.parse("2026-11-26T12:00:00Z");
const attested = { class: "operator-attested", on: "2026-01-15" } as const;

export function factsOf(document: FactsInput): Facts {
  const parsed = parseFacts(document);
  if (parsed.outcome === "invalid") assert.fail(JSON.stringify(parsed.problems));
  return parsed.facts;
}

/** A city's company with a hall in Berlin full of American accelerators, and an upstream in the United States. */
export const cityFacts: FactsInput = {
  operators: [
    {
      name: "Netz GmbH",
      seat: "DE",
      establishments: ["DE"],
      owners: [{ name: "City of Berlin", country: "DE", votesPercent: 100, capitalPercent: 100 }],
      evidence: { ...attested, source: "commercial register HRB 1234" },
    },
    {
      name: "Away Inc",
      seat: "US",
      owners: [{ name: "Its founders", country: "US", votesPercent: 100, capitalPercent: 100 }],
      certificates: [
        {
          scheme: "EU-US-DPF",
          scope: "non-HR data",
          issuedOn: "2026-01-01",
          expiresOn: "2026-12-31",
          evidence: attested,
        },
      ],
      evidence: attested,
    },
  ],
  sites: [
    {
      name: "berlin",
      jurisdiction: "DE-BE",
      operator: "Netz GmbH",
      accessFrom: ["DE"],
      certificates: [
        {
          scheme: "C5-type-2",
          scope: "the hall in Berlin",
          issuedOn: "2026-02-01",
          expiresOn: "2027-01-31",
          evidence: { class: "third-party-attested", on: "2026-02-01" },
        },
        {
          scheme: "ISO-27001",
          scope: "the hall in Berlin",
          issuedOn: "2023-02-01",
          expiresOn: "2026-01-31",
          evidence: { class: "third-party-attested", on: "2023-02-01" },
        },
      ],
      power: { supplier: "Stadtwerke", country: "DE", renewablePercent: 100 },
      evidence: attested,
    },
    { name: "virginia", jurisdiction: "US", operator: "Away Inc", accessFrom: ["US", "IN"], evidence: attested },
  ],
  hosts: [{ name: "host_1", site: "berlin", accelerators: ["H200"], evidence: attested }],
  accelerators: [
    {
      name: "H200",
      maker: "NVIDIA",
      makerCountry: "US",
      madeIn: "TW",
      exportClassification: "ECCN 3A090",
      evidence: attested,
    },
  ],
  models: [
    {
      name: "mistral-small",
      developer: "Mistral AI",
      developerCountry: "FR",
      licence: "Apache-2.0",
      evidence: attested,
    },
  ],
  subprocessors: [
    { name: "Backup AG", country: "CH", purpose: "keeps encrypted backups", since: "2026-03-01", evidence: attested },
    {
      name: "Old Ltd",
      country: "GB",
      purpose: "kept backups",
      since: "2024-01-01",
      until: "2026-02-28",
      evidence: attested,
    },
  ],
  attestations: [
    {
      criterion: "SOV-8.1",
      text: "PUE 1.18 over 2025.",
      evidence: {
        class: "third-party-attested",
        on: "2026-02-01",
        expires: "2027-02-01",
        source: "report of the inspector",
      },
    },
    { criterion: "SOV-4.3", text: "All staff are in the EU.", evidence: { ...attested, expires: "2026-06-30" } },
  ],
};

export const berlinHost: LiveDestination = {
  kind: "host",
  name: "host_1",
  site: { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH" },
  engine: { name: "llamacpp", build: "b1" },
  models: [{ name: "mistral-small", sha256: "a".repeat(64), endpoints: ["chat.completions", "embeddings"] }],
  device: "NVIDIA H200",
};

export const awayUpstream: LiveDestination = {
  kind: "upstream",
  name: "away",
  site: { name: "virginia", jurisdiction: "US" },
  engine: { name: "upstream", build: "" },
  models: [{ name: "large", sha256: null, endpoints: ["chat.completions"] }],
  device: undefined,
};

const nothingDeclared = { name: null, contact: null, representative: null, dataProtectionOfficer: null };
export const noWords = { purposes: [], dataSubjects: [], personalData: [], recipients: [], timeLimits: [] };

export function stateOf(more: Partial<LiveState> = {}): LiveState {
  return {
    atMs: testNowMs,
    release: "0.1.0",
    installation: "inst_1",
    factsNamed: { version: 3, sha256: "f".repeat(64) },
    policiesNamed: { version: 0, sha256: "0".repeat(64) },
    facts: factsOf(cityFacts),
    gatewaySite: { name: "berlin", jurisdiction: "DE", operator: "Netz GmbH" },
    database: "embedded",
    destinations: [awayUpstream, berlinHost],
    projects: [
      project("clinic", "ward"),
      project("clinic", "desk", "personal"),
      project("bank", "vault", "restricted"),
    ],
    log: { state: "open", entries: 12, witnesses: [{ name: "auditor", hasCosigned: true }] },
    signingKeysActive: 1,
    keeping: { content: false, tenantKeys: false, receiptDays: null },
    declared: {
      processor: nothingDeclared,
      controller: noWords,
      measures: { technical: [], organisational: [], contractual: [] },
    },
    ...more,
  };
}

function project(organisation: string, name: string, dataClass = "special-category"): LiveState["projects"][number] {
  const of = { id: `org_${organisation}`, name: organisation };
  return {
    id: `proj_${name}`,
    name,
    organisation: of,
    dataClass,
    processing: ["EU"],
    storage: null,
    regimes: ["eu-personal-data"],
  };
}

/** Requests of a project at a place, as they are recorded. */
export function ran(organisation: string, name: string, more: Partial<PlacedSum> = {}): PlacedSum {
  return {
    organisation: { id: `org_${organisation}`, name: organisation },
    project: { id: `proj_${name}`, name },
    endpoint: "chat.completions",
    model: "mistral-small",
    site: "berlin",
    destination: "host_1",
    asked: { dataClass: "personal", legalBasis: null, candidates: [berlinHost, awayUpstream] },
    requests: 10,
    inputTokens: 1_000,
    outputTokens: 500,
    unrated: 0,
    ...more,
  };
}

/** The same model at the upstream. */
export function ranAway(organisation: string, name: string, more: Partial<PlacedSum> = {}): PlacedSum {
  return ran(organisation, name, { site: "virginia", destination: "away", model: "large", ...more });
}

export function recordedOf(sums: readonly PlacedSum[], more: Partial<Recorded> = {}): Recorded {
  const period = { from: "2026-11-01T00:00:00.000Z", to: "2026-11-26T00:00:00.000Z" };
  return { ...period, sums, leftOut: 0, isComplete: true, ...more };
}

/**
 * Holds a text against the file that people have read (`node --test --test-update-snapshots` writes it anew). A page's
 * style is the same in all of them, and left out.
 */
export function isGolden(context: TestContext, name: string, whole: string): void {
  const text = whole.replace(/<style>[^]*<\/style>/, "<style>...</style>");
  const path = fileURLToPath(new URL(`./goldens/${name}`, import.meta.url));
  context.assert.fileSnapshot(text, path, { serializers: [(value: unknown) => String(value)] });
}
