import type { DataClass } from "./data-class.ts";
import { jurisdictionsVersion, liesWithin } from "./jurisdictions.ts";

/** Names these rules and the lists they stand on; a decision's digest holds it. Changed with every change below. */
export const rulesVersion = `sites-1/jurisdictions-${jurisdictionsVersion}`;

/** What a request would do with the data. */
export type Action = "infer" | "embed";

/** Whose data it is, what it is, and where its owner lets it be processed. */
export interface DataOwner {
  readonly id: string;
  readonly dataClass: DataClass;
  /** ISO 3166 codes or groups, upper case; empty: wherever the data class may be. */
  readonly processing: readonly string[];
}

/** What policy looks at where a request could run. */
export interface Candidate {
  readonly kind: "host" | "upstream";
  /** A host's id or an upstream's name. */
  readonly name: string;
  readonly site: { readonly name: string; readonly jurisdiction: string | undefined };
}

/** Coarse, for receipts: a tenant learns that a place was not allowed, not what it was. */
export type Reason = "undeclared_jurisdiction" | "outside_processing";

/** Why a candidate may not have the data; undefined: it may. Deny by default: what is not shown to be allowed is not. */
export function rejectionOf(owner: DataOwner, { site }: Candidate): Reason | undefined {
  const { jurisdiction } = site;
  if (jurisdiction === undefined) {
    return owner.dataClass === "public" && owner.processing.length === 0 ? undefined : "undeclared_jurisdiction";
  }
  if (owner.processing.length === 0) return undefined;
  return owner.processing.some((allowed) => liesWithin(jurisdiction, allowed)) ? undefined : "outside_processing";
}

/** A reason in full, for the operator and for the tenant whose request was refused. */
export function explainRejection(reason: Reason, owner: DataOwner, candidate: Candidate): string {
  const { kind, name, site } = candidate;
  const only = `the project's data is processed in ${owner.processing.join(", ")} only`;
  const because: Record<Reason, string> = {
    undeclared_jurisdiction: `its jurisdiction is not declared, and ${
      owner.processing.length > 0 ? only : `${owner.dataClass} data needs a declared one`
    }`,
    outside_processing: `it lies in ${site.jurisdiction}, and ${only}`,
  };
  return `${kind} "${name}" at site "${site.name}": ${because[reason]}`;
}
