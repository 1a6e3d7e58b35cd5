import { z } from "zod";
import { type DocumentProblem, schemaProblems } from "./facts/problems.ts";
import { jurisdiction, place, plainName, shortName } from "./facts/values.ts";
import type { Policy } from "./policy.ts";
import type { Candidate, Question } from "./question.ts";

const regimeNames = z.array(plainName).max(50);
const places = z.array(z.union([place, z.string().regex(/^[A-Z][A-Z0-9_]{2,31}$/)])).max(300);
const count = z.int().min(0).max(10_000_000_000);

const exported = z.strictObject({
  year: z.int().min(2000).max(9999),
  individuals: count,
  sensitiveIndividuals: count,
  mechanisms: z.array(z.enum(["security-assessment", "standard-contract", "certification"])).default([]),
  isCriticalInfrastructure: z.boolean().default(false),
  hasImportantData: z.boolean().default(false),
});

const project = z.strictObject({
  id: plainName.default("prj_case"),
  dataClass: plainName.default("internal"),
  processing: places.default([]),
  storage: places.optional(),
  regimes: regimeNames.optional(),
  country: jurisdiction.optional(),
  organisation: plainName.optional(),
  exported: exported.optional(),
});

const policyCase = z.strictObject({
  name: plainName.optional(),
  action: z.enum(["infer", "embed", "train", "store", "log", "cache", "export", "support-access"]).default("infer"),
  project: project.prefault({}),
  model: plainName.default("any"),
  purpose: plainName.optional(),
  legalBasis: plainName.optional(),
  key: plainName.optional(),
  staff: z.strictObject({ name: plainName, from: jurisdiction.optional(), isGranted: z.boolean() }).optional(),
  narrowing: z
    .strictObject({
      dataClass: plainName.optional(),
      processing: places.optional(),
      purpose: plainName.optional(),
      regimes: regimeNames.optional(),
    })
    .optional(),
  site: z.union([
    shortName,
    z.strictObject({ name: shortName, jurisdiction: jurisdiction.optional(), operator: plainName.optional() }),
  ]),
  host: plainName.optional(),
  expect: z.enum(["permit", "deny"]),
  policy: plainName.optional(),
});

const tableSchema = z.strictObject({ cases: z.array(policyCase).min(1).max(10_000) });

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
