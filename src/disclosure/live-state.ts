import type { Candidate, Facts } from "../policy/index.ts";

/** A version of a document as a report names it. */
export interface DocumentNamed {
  /** 0: none was ever applied, and what is shipped holds. */
  readonly version: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A host or an upstream as it stands. */
export interface LiveDestination extends Candidate {
  readonly kind: "host" | "upstream";
  readonly engine: { readonly name: string; readonly build: string };
  readonly models: readonly {
    readonly name: string;
    readonly sha256: string | null;
    readonly endpoints: readonly string[];
  }[];
  /** What the host itself says of the device that it found; undefined: nothing. */
  readonly device: string | undefined;
}

export interface LiveProject {
  readonly id: string;
  readonly name: string;
  readonly organisation: { readonly id: string; readonly name: string };
  readonly dataClass: string;
  readonly processing: readonly string[];
  /** null: where it may be processed. */
  readonly storage: readonly string[] | null;
  /** null: those of its data class. */
  readonly regimes: readonly string[] | null;
}

/** Requests that one project ran at one place under one decision. */
export interface PlacedSum {
  readonly project: { readonly id: string; readonly name: string };
  readonly organisation: { readonly id: string; readonly name: string };
  readonly endpoint: string;
  readonly model: string;
  /** The site's name, as it was recorded. */
  readonly site: string;
  /** A host's id, or an upstream's name; null: an earlier release did not record it. */
  readonly destination: string | null;
  /** As it was asked of policy; null: nothing was kept of it. */
  readonly asked: {
    readonly dataClass: string;
    /** As the tenant asserted it with the request; null: it did not. */
    readonly legalBasis: string | null;
    readonly candidates: readonly Candidate[];
  } | null;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Requests whose tokens nobody could prove: they are in no count of tokens. */
  readonly unrated: number;
}

export interface Period {
  /** ISO 8601, UTC; the first moment. */
  readonly from: string;
  /** The moment that is not in it any more. */
  readonly to: string;
}

/** What was recorded of a period, and what of it is not in the sums. */
export interface Recorded extends Period {
  readonly sums: readonly PlacedSum[];
  /** Requests in more groups than one report holds. */
  readonly leftOut: number;
  /** Whether everything that had ended was in the books when they were read. */
  readonly isComplete: boolean;
}

/** What the operator says of itself, by settings. */
export interface Declared {
  readonly processor: {
    readonly name: string | null;
    readonly contact: string | null;
    readonly representative: string | null;
    readonly dataProtectionOfficer: string | null;
  };
  /** What art. 30(1) GDPR asks of a controller. */
  readonly controller: Readonly<Record<ControllerField, readonly string[]>>;
  readonly measures: Readonly<Record<MeasureKind, readonly string[]>>;
}

export type ControllerField = "purposes" | "dataSubjects" | "personalData" | "recipients" | "timeLimits";
export type MeasureKind = "technical" | "organisational" | "contractual";

/** All that reports are computed from, as it stood at one moment. */
export interface LiveState {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly release: string;
  readonly installation: string;
  readonly factsNamed: DocumentNamed;
  readonly policiesNamed: DocumentNamed;
  readonly facts: Facts;
  /** Where the gateway and what it keeps stand. */
  readonly gatewaySite: Candidate["site"];
  readonly database: "embedded" | "external";
  readonly destinations: readonly LiveDestination[];
  readonly projects: readonly LiveProject[];
  readonly log: {
    readonly state: string;
    readonly entries: number;
    readonly witnesses: readonly { readonly name: string; readonly hasCosigned: boolean }[];
  };
  readonly signingKeysActive: number;
  /** What this release does with what tenants send. */
  readonly keeping: {
    /** Whether prompts and answers can be kept beyond their request. */
    readonly content: boolean;
    /** Whether a tenant can hold the key over what is kept of it. */
    readonly tenantKeys: boolean;
    /** For so many days usage and receipts are kept; null: without an end. */
    readonly receiptDays: number | null;
  };
  readonly declared: Declared;
}
