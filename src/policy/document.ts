import { z } from "zod";
import { dataClasses, type DataClass, isDataClass, nearest } from "../base/index.ts";
import { type DocumentProblem, schemaProblems } from "./facts/problems.ts";

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "1 to 64 of a-z, 0-9 and hyphen, beginning with a letter or digit");

const ownClass = z.strictObject({
  name: name
    .refine((text) => !isDataClass(text), "it is one of the five already; choose another name")
    .describe("Your own name for a kind of data."),
  like: z.enum(dataClasses).describe("Which of the five it is protected as, at least."),
});

export const documentSchema = z.strictObject({
  dataClasses: z.array(ownClass).max(100).default([]).describe("Data classes beside the five."),
  regimes: z
    .record(name, z.array(name).max(50))
    .default({})
    .describe("By data class: the regimes of projects that name none."),
});

/** What an operator decides of policy: data classes of its own, and which regimes hold where a project names none. */
export type PolicyDocument = z.output<typeof documentSchema>;

export type ParsedDocument =
  | { readonly outcome: "parsed"; readonly document: PolicyDocument }
  | { readonly outcome: "invalid"; readonly problems: readonly DocumentProblem[] };

/** What is shipped: the five classes, and no regime but "open". Which law holds for whose data, nobody can ship. */
export const shippedDocument: PolicyDocument = { dataClasses: [], regimes: {} };

/** Checks a policy document; `regimes`: those that the compiled policies name. */
export function parsePolicyDocument(value: unknown, regimes: ReadonlySet<string>): ParsedDocument {
  const parsed = documentSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) return { outcome: "invalid", problems: schemaProblems(parsed.error, documentSchema) };
  const document = parsed.data;
  const classes = classesOf(document);
  const problems = Object.entries(document.regimes).flatMap(([dataClass, names]) => [
    ...(classes.has(dataClass)
      ? []
      : [{ path: `regimes.${dataClass}`, message: "is no data class; add it to dataClasses" }]),
    ...names
      .filter((regime) => !regimes.has(regime))
      .map((regime) => ({ path: `regimes.${dataClass}`, message: `no policy names the regime "${regime}"` })),
  ]);
  return problems.length > 0 ? { outcome: "invalid", problems } : { outcome: "parsed", document };
}

/** Every class that data can have: the five, and the operator's own. */
export function classesOf({ dataClasses: own }: Pick<PolicyDocument, "dataClasses">): ReadonlySet<string> {
  return new Set([...dataClasses, ...own.map(({ name: ownName }) => ownName)]);
}

/** What is wrong with a name that no data class has, as sentences; undefined where one has it. */
export function unknownClass(name: string, document: Pick<PolicyDocument, "dataClasses">): string | undefined {
  const known = classesOf(document);
  if (known.has(name)) return undefined;
  const meant = nearest(name, known);
  const hint = meant === undefined ? `There are ${[...known].slice(0, 20).join(", ")}.` : `Did you mean "${meant}"?`;
  return `There is no data class "${name.slice(0, 100)}". ${hint}`;
}

/** The one of the five that a class is protected as; one that nobody knows is the most protected. */
export function baseClassOf(dataClass: string, document: Pick<PolicyDocument, "dataClasses">): DataClass {
  if (isDataClass(dataClass)) return dataClass;
  return document.dataClasses.find((own) => own.name === dataClass)?.like ?? "restricted";
}

/** The regimes of a project that names none: its class's, else those of the class that it is like, else "open". */
export function regimesOf(dataClass: string, document: PolicyDocument): readonly string[] {
  return document.regimes[dataClass] ?? document.regimes[baseClassOf(dataClass, document)] ?? ["open"];
}
