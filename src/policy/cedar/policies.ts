import type { PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { Looks } from "./looks.ts";
import type { Position } from "./statements.ts";

/** A text of policies, or of the schema, by its name. */
export interface PolicyFile {
  readonly name: string;
  readonly text: string;
}

/** What is wrong, or looks wrong, and where: lines and columns from 1. */
export interface PolicyProblem extends Position {
  readonly file: string;
  readonly message: string;
}

/** A policy with what its annotations say. */
export interface PolicyNote extends Position {
  readonly id: string;
  readonly file: string;
  readonly effect: "permit" | "forbid";
  /** A coarse word, for receipts. */
  readonly reason: string;
  /** A clause for people, with what to do; `{context.importer.seat}` stands for a value. */
  readonly explain: string;
  /** The legal source. */
  readonly article: string;
  readonly text: string;
  readonly json: PolicyJson;
}

/** Policies that parsed and are valid: what decisions are made by. */
export interface CompiledPolicies {
  readonly outcome: "compiled";
  /** Lower-case hex SHA-256 of the schema and the policies; the order of files does not matter. */
  readonly id: string;
  /** By id, in the order of files and of policies in them. */
  readonly policies: ReadonlyMap<string, PolicyNote>;
  /** Every regime that a policy names, and "open". */
  readonly regimes: ReadonlySet<string>;
  readonly looks: Looks;
  /** What is valid and can hardly be meant. */
  readonly warnings: readonly PolicyProblem[];
}

export interface PoliciesInvalid {
  readonly outcome: "invalid";
  /** At least one, at most 50. */
  readonly problems: readonly PolicyProblem[];
}
