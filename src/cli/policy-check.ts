import {
  besideShipped,
  compilePolicies,
  type CompiledPolicies,
  type Facts,
  parseFacts,
  parsePolicyDocument,
  type PolicyDocument,
  policySchema,
} from "../policy/index.ts";
import type { Facts as FactsTold, Policies } from "../gateway/control/index.ts";
import type { ControlClient } from "./control-client.ts";
import { documentInvalid, inFile, type PolicyInput, readDocument } from "./document-file.ts";
import type { Surroundings } from "./surroundings.ts";

/** What is wrong with policies, each with file, line and column; and what they come to where nothing is. */
export function check({ files, document: file }: PolicyInput, document: unknown) {
  const compiled = compilePolicies({ schema: policySchema, files: besideShipped(files) });
  if (compiled.outcome === "invalid") return { problems: compiled.problems.map(inFile), compiled: undefined };
  const parsed = parsePolicyDocument(document, compiled.regimes);
  if (parsed.outcome === "parsed") return { problems: [], compiled, document: parsed.document };
  const inDocument = ({ path, message }: { path: string; message: string }) =>
    `the policy document: ${path}: ${message}`;
  return { problems: parsed.problems.map(file?.placed ?? inDocument), compiled };
}

/** Policies that decisions can be made by. Fails with everything that is wrong. */
export function checked(
  input: PolicyInput,
  document: unknown,
): { readonly policies: CompiledPolicies; readonly document: PolicyDocument } {
  const found = check(input, document);
  if (found.document === undefined) throw documentInvalid("The policy", found.problems);
  return { policies: found.compiled, document: found.document };
}

/** A document of facts in a file. Fails with everything that is wrong with it, each with its line. */
export function checkedFacts(
  path: string,
  place: Pick<Surroundings, "currentFolder">,
): { readonly written: unknown; readonly facts: Facts } {
  const file = readDocument(path, place);
  const parsed = parseFacts(file.value);
  if (parsed.outcome === "invalid") throw documentInvalid(path, parsed.problems.map(file.placed));
  return { written: file.value, facts: parsed.facts };
}

/** The facts and policies that a running cloud decides by. */
export async function documentsOf(
  cloud: ControlClient,
): Promise<{ readonly facts: Facts; readonly policies: Policies }> {
  const policies = await cloud.get<Policies>("/policies");
  const { document } = await cloud.get<FactsTold>("/facts");
  const parsed = parseFacts(document);
  if (parsed.outcome === "parsed") return { facts: parsed.facts, policies };
  throw documentInvalid(
    "The cloud's document of facts, for this release of the command line,",
    parsed.problems.map(({ path, message }) => `${path}: ${message}`),
  );
}
