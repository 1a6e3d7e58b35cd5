import { z } from "zod";
import { type DocumentProblem, schemaProblems } from "./facts/problems.ts";
import { jurisdiction, place, plainName, shortName } from "./facts/values.ts";
import type { Policy } from "./policy.ts";
import type { Candidate, Question } from "./question.ts";

const regimeNames = z.array(plainName).max(50);
const places = z.array(z.union([place, z.string().regex(/^[A-Z][A-Z0-9_]{2,31}$/)])).max(300);
const count = z.int().min(0).max(10_000_000_000);

const exported = z.strictObject({
  year: z.int().min(2000).max(9999).describe("The year of the figures."),
  individuals: count.describe("Individuals whose information left China since 1 January."),
  sensitiveIndividuals: count.describe("Individuals whose sensitive information did."),
  mechanisms: z
    .array(z.enum(["security-assessment", "standard-contract", "certification"]))
    .default([])
    .describe("What the exporter has of the three."),
  isCriticalInfrastructure: z.boolean().default(false).describe("Whether it runs critical information infrastructure."),
  hasImportantData: z.boolean().default(false).describe("Whether important data is among it."),
});

const project = z.strictObject({
  id: plainName.default("prj_case").describe("The project's id, for policies that name one."),
  dataClass: plainName.default("internal").describe("One of the five, or an own one."),
  processing: places.default([]).describe("Where it may be processed; empty is anywhere."),
  storage: places.optional().describe("Where it may rest; left out: where it may be processed."),
  regimes: regimeNames.optional().describe("Left out: those of its data class in the policy document."),
  country: jurisdiction.optional().describe("The one country of the regime national."),
  organisation: plainName.optional().describe("The organisation's id."),
  exported: exported.optional().describe("What the tenant declares to have exported from China."),
});

const staff = z.strictObject({
  name: plainName.describe("Who looks."),
  from: jurisdiction.optional().describe("From where; left out: not known."),
  isGranted: z.boolean().describe("Whether a grant that the tenant sees holds."),
});

const narrowing = z.strictObject({
  dataClass: plainName.optional().describe("As the header says."),
  processing: places.optional().describe("As the header says."),
  purpose: plainName.optional().describe("As the header says."),
  legalBasis: plainName.optional().describe("As the header says."),
  regimes: regimeNames.optional().describe("As the header says."),
});

const ownSite = z.strictObject({
  name: shortName,
  jurisdiction: jurisdiction.optional(),
  operator: plainName.optional(),
});

const policyCase = z.strictObject({
  name: plainName.optional().describe("What the case shows."),
  action: z
    .enum(["infer", "embed", "train", "store", "log", "cache", "export", "support-access"])
    .default("infer")
    .describe("What would be done."),
  project: project.prefault({}).describe("Whose data it is."),
  key: plainName.optional().describe("The key's id, where a key asks."),
  staff: staff.optional().describe("Who of the staff, where the action is support-access."),
  model: plainName.default("any").describe("The model's name."),
  purpose: plainName.optional().describe("What for."),
  legalBasis: plainName.optional().describe("As the tenant asserts it."),
  narrowing: narrowing.optional().describe("What the request's headers ask for."),
  site: z
    .union([shortName, ownSite])
    .describe("A site of the facts by its name, or one as settings have it: name, jurisdiction, operator."),
  host: plainName.optional().describe("A host's id there; left out: the site itself."),
  expect: z.enum(["permit", "deny"]).describe("What has to come out."),
  policy: plainName.optional().describe("The id of a policy that has to be among those that decide."),
});

export const tableSchema = z.strictObject({
  cases: z.array(policyCase).min(1).max(10_000).describe("The cases, each by itself."),
});

/** One question about one site, what is expected, and, where it matters, by which policy. */
export type PolicyCase = z.output<typeof policyCase>;

export type ParsedCases =
  | { readonly outcome: "parsed"; readonly cases: readonly PolicyCase[] }
  | { readonly outcome: "invalid"; readonly problems: readonly DocumentProblem[] };

/** Checks a table of cases, as read from YAML or JSON. */
export function parseCases(value: unknown): ParsedCases {
  const parsed = tableSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return { outcome: "parsed", cases: parsed.data.cases };
  return { outcome: "invalid", problems: schemaProblems(parsed.error, tableSchema) };
}

export interface CaseResult {
  readonly case: PolicyCase;
  readonly hasPassed: boolean;
  readonly found: "permit" | "deny";
  /** Ids of the policies that decided. */
  readonly deciding: readonly string[];
  /** What is wrong with the case or the policy, as a sentence; undefined where it has passed. */
  readonly message: string | undefined;
}

/** Runs a table of cases; the results are in its order. */
export function testTable(policy: Policy, cases: readonly PolicyCase[]): readonly CaseResult[] {
  return cases.map((each) => {
    const { isPermitted, deciding, because } = policy.judge(questionOf(each), candidateOf(each));
    const found = isPermitted ? "permit" : "deny";
    const ids = deciding.map(({ id }) => id);
    const message = messageOf(each, found, ids, because);
    return { case: each, hasPassed: message === undefined, found, deciding: ids, message };
  });
}

function messageOf(
  { expect, policy }: PolicyCase,
  found: CaseResult["found"],
  deciding: readonly string[],
  because: readonly string[],
): string | undefined {
  const by = deciding.length === 0 ? "no policy" : deciding.map((id) => `"${id}"`).join(", ");
  const why = because.length === 0 ? "" : ` (${because.join("; ")})`;
  if (found !== expect) return `expected ${expect}, found ${found} by ${by}${why}`;
  if (policy !== undefined && !deciding.includes(policy)) return `expected ${found} by "${policy}", found it by ${by}`;
  return undefined;
}

function questionOf(asked: PolicyCase): Question {
  const { action, project, model, key, staff, purpose, legalBasis, narrowing } = asked;
  // Members that are undefined are members that are not there, for whoever reads a question.
  return { action, project, model, key, staff, purpose, legalBasis, narrowing } as Question;
}

function candidateOf({ site, host }: PolicyCase): Candidate {
  const at = typeof site === "string" ? { name: site } : site;
  const told = { ...at, jurisdiction: at.jurisdiction } as Candidate["site"];
  return host === undefined ? { kind: "site", name: at.name, site: told } : { kind: "host", name: host, site: told };
}
