import { z, type ZodError } from "zod";
import { nearest, memberPath } from "../../base/index.ts";

/** One thing that is wrong with a document. */
export interface DocumentProblem {
  /** "sites[0].operator"; "" for the document as a whole. */
  readonly path: string;
  readonly message: string;
  /** The known key or name that was probably meant. */
  readonly nearest?: string;
}

export const problemsKept = 50;

/** What a schema says of a document, with the nearest known key where one is unknown. */
export function schemaProblems(error: ZodError, schema: z.ZodType): readonly DocumentProblem[] {
  const tree = z.toJSONSchema(schema, { io: "input" }) as SchemaNode;
  const problems = error.issues.slice(0, problemsKept).flatMap((issue): DocumentProblem[] => {
    if (issue.code !== "unrecognized_keys") return [{ path: memberPath(issue.path), message: describe(issue) }];
    return issue.keys.slice(0, problemsKept).map((key) => unknownKey(issue.path, key, tree));
  });
  return problems.slice(0, problemsKept);
}

function describe(issue: ZodError["issues"][number]): string {
  if (issue.input === null) return "is empty: give it a value, or leave the key out";
  if (issue.code !== "custom" && issue.code !== "invalid_union" && issue.input === undefined) return "is required";
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  return issue.message;
}

function unknownKey(parent: readonly PropertyKey[], key: string, tree: SchemaNode): DocumentProblem {
  const path = memberPath([...parent, key]);
  const meant = nearest(key, knownKeysAt(parent, tree));
  if (meant === undefined) return { path, message: "is not known" };
  return { path, message: `is not known; did you mean ${meant}?`, nearest: meant };
}

/** The part of JSON Schema that documents' schemas are made of. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
}

function knownKeysAt(path: readonly PropertyKey[], tree: SchemaNode): readonly string[] {
  let node: SchemaNode | undefined = tree;
  for (const step of path) {
    if (typeof step === "number") node = node?.items;
    else node = node?.properties?.[String(step)] ?? freeName(node);
  }
  return Object.keys(node?.properties ?? {});
}

function freeName(node: SchemaNode | undefined): SchemaNode | undefined {
  return typeof node?.additionalProperties === "object" ? node.additionalProperties : undefined;
}
