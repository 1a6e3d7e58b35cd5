import { createHash } from "node:crypto";
import { type CanonicalValue, canonicalJson, refuse, type Refusal, RefusalError } from "../base/index.ts";
import {
  besideShipped,
  type CompiledPolicies,
  compileAside,
  type DocumentProblem,
  type Facts,
  parseFacts,
  parsePoliciesByTurns,
  parsePolicyDocument,
  type PolicyDocument,
  type PolicyFile,
  type PolicyProblem,
  policySchema,
  shippedPolicies,
} from "../policy/index.ts";

/** What an operator decides of policy: files beside the shipped ones, and what the policy document says. */
export interface PoliciesInput {
  readonly files: readonly PolicyFile[];
  /** As it was written. */
  readonly document: unknown;
}

/** What holds before an operator has applied any. */
export const noPolicies: PoliciesInput = { files: [], document: {} };

/** Policies that decisions can be made by. */
export interface Policies {
  readonly policies: CompiledPolicies;
  readonly document: PolicyDocument;
}

/** Facts that are valid, and their digest; others are refused by throwing. */
export function checkedFacts(document: unknown): { readonly facts: Facts; readonly sha256: string } {
  const parsed = parseFacts(document);
  if (parsed.outcome === "invalid") throw new RefusalError(invalid("The facts are", parsed.problems.map(inDocument)));
  return parsed;
}

/** Policies that are valid; others are refused by rejecting. It takes a part of a second, of another thread's time. */
export async function checkedPolicies({ files, document }: PoliciesInput): Promise<Policies> {
  refuseRepeated(files);
  const policies = await compileAside({ schema: policySchema, files: besideShipped(files) });
  if (policies.outcome === "invalid")
    throw new RefusalError(invalid("The policies are", policies.problems.map(inFile)));
  return { policies, document: checkedDocument(document, policies) };
}

/**
 * Policies that were checked when they were applied, by whichever release that was. They are parsed here, between other
 * work: that takes less than a new thread takes to begin, and another gateway's change is to hold within a second.
 */
export async function keptPolicies({ files, document }: PoliciesInput): Promise<Policies> {
  if (files.length === 0)
    return { policies: shippedPolicies(), document: checkedDocument(document, shippedPolicies()) };
  const policies = await parsePoliciesByTurns({ schema: policySchema, files: besideShipped(files) });
  if (policies.outcome === "invalid")
    throw new RefusalError(invalid("The policies are", policies.problems.map(inFile)));
  return { policies, document: checkedDocument(document, policies) };
}

/** Lower-case hex, over the canonical JSON of files and document. */
export function policiesDigest(input: PoliciesInput): string {
  const plain = JSON.parse(JSON.stringify(input)) as CanonicalValue;
  return createHash("sha256").update(canonicalJson(plain)).digest("hex");
}

function checkedDocument(document: unknown, { regimes }: CompiledPolicies): PolicyDocument {
  const parsed = parsePolicyDocument(document, regimes);
  if (parsed.outcome === "parsed") return parsed.document;
  throw new RefusalError(invalid("The policy document is", parsed.problems.map(inDocument)));
}

/** Of two files of one name, nobody could tell which was meant. */
function refuseRepeated(files: readonly PolicyFile[]): void {
  const names = files.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RefusalError(invalid("The policies are", [`${twice}: the file is there twice`]));
}

function invalid(what: string, reasons: readonly string[]): Refusal {
  const others = reasons.length === 1 ? "" : ` (and ${reasons.length - 1} more)`;
  return refuse("document_invalid", `${what} not valid: ${reasons[0]}${others}.`, { reasons });
}

function inDocument({ path, message }: DocumentProblem): string {
  return path === "" ? `the document ${message}` : `${path}: ${message}`;
}

/** "own.cedar:3:5: ...": as compilers say it, for editors that jump there. */
export function inFile({ file, line, column, message }: PolicyProblem): string {
  return `${file}:${line}:${column}: ${message}`;
}
