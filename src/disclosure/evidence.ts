import { beginsMs, endsMs, type Evidence, type Facts } from "../policy/index.ts";

/** What a line of a report rests on. */
export interface Backing {
  /** Who says so: `measured` is what this cloud itself has seen. */
  readonly class: Evidence["class"];
  readonly on: string;
  readonly expires: string | null;
  readonly source: string | null;
}

/** Something that a criterion turns on, and what shows it. */
export interface Fact {
  readonly text: string;
  readonly evidence: Backing;
}

export function backingOf({ class: kind, on, expires, source }: Evidence): Backing {
  return { class: kind, on, expires: expires ?? null, source: source ?? null };
}

/** What this cloud has seen itself, at the moment of the report. The day alone: the report says the time once. */
export function measured(atMs: number): Backing {
  return { class: "measured", on: new Date(atMs).toISOString().slice(0, 10), expires: null, source: "this cloud" };
}

/** What the settings say of a site that no facts speak of. */
export const bySettings: Backing = {
  class: "operator-attested",
  on: "undated",
  expires: null,
  source: "the settings of this cloud",
};

export function counts({ on, expires }: Pick<Evidence, "on" | "expires">, atMs: number): boolean {
  return beginsMs(on) <= atMs && (expires === undefined || atMs < endsMs(expires));
}

/** A fact whose evidence does not count now: it is in no answer. */
export interface NotCounted {
  readonly what: string;
  readonly evidence: Backing;
  readonly why: "expired" | "not yet";
}

/** Everything in a document whose evidence, or which itself, does not count at a moment. */
export function notCounted(facts: Facts, atMs: number): readonly NotCounted[] {
  const found: NotCounted[] = [];
  const look = (what: string, evidence: Evidence): void => {
    if (counts(evidence, atMs)) return;
    found.push({ what, evidence: backingOf(evidence), why: beginsMs(evidence.on) > atMs ? "not yet" : "expired" });
  };
  const lookAtCertificates = (of: string, certificates: Facts["sites"][number]["certificates"]): void => {
    for (const { scheme, issuedOn, expiresOn, evidence } of certificates) {
      look(`certificate ${scheme} of ${of}: its evidence`, evidence);
      look(`certificate ${scheme} of ${of}`, { ...evidence, on: issuedOn, expires: expiresOn });
    }
  };
  for (const each of facts.operators) {
    look(`operator ${each.name}`, each.evidence);
    lookAtCertificates(`operator ${each.name}`, each.certificates);
  }
  for (const each of facts.sites) {
    look(`site ${each.name}`, each.evidence);
    lookAtCertificates(`site ${each.name}`, each.certificates);
  }
  for (const each of facts.hosts) look(`host ${each.name}`, each.evidence);
  for (const each of facts.accelerators) look(`accelerator ${each.name}`, each.evidence);
  for (const each of facts.models) look(`model ${each.name}`, each.evidence);
  for (const each of facts.subprocessors) look(`sub-processor ${each.name}`, each.evidence);
  for (const each of facts.attestations ?? []) look(`attestation of ${each.criterion}`, each.evidence);
  return found;
}
