import assert from "node:assert/strict";
import { parseFacts } from "./parse.ts";
import type { Facts, FactsInput } from "./schema.ts";

/** What tests' facts rest on: since 2026, without an end. */
export const attested = { class: "operator-attested", on: "2026-01-01" } as const;

/** The moment at which tests stand, unless they say another one. */
export const testNowMs = Date.parse("2026-11-26T12:00:00Z");

export function factsOf(document: FactsInput): Facts {
  const parsed = parseFacts(document);
  if (parsed.outcome === "invalid") assert.fail(JSON.stringify(parsed.problems, undefined, 1));
  return parsed.facts;
}

/** The problems of a document as "path: message". */
export function problemsOf(document: unknown): readonly string[] {
  const parsed = parseFacts(document);
  return parsed.outcome === "parsed" ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

type OperatorInput = NonNullable<FactsInput["operators"]>[number];

/** A company that belongs to itself by a founder in its own country, unless said otherwise. */
export function company(name: string, seat: string, more: Partial<OperatorInput> = {}): OperatorInput {
  const founder = { name: `founder of ${name}`, country: seat, votesPercent: 100, capitalPercent: 100 };
  return { name, seat, owners: [founder], evidence: attested, ...more };
}

type SiteInput = NonNullable<FactsInput["sites"]>[number];

/** A site that nobody reaches from elsewhere, unless said otherwise. */
export function siteOf(name: string, jurisdiction: string, operator: string, more: Partial<SiteInput> = {}): SiteInput {
  return { name, jurisdiction, operator, accessFrom: [], evidence: attested, ...more };
}

/** A certificate that is in force in 2026. */
export function certified(scheme: string, more: { issuedOn?: string; expiresOn?: string } = {}) {
  return { scheme, scope: "all of it", issuedOn: "2026-01-01", expiresOn: "2026-12-31", evidence: attested, ...more };
}
