import { refuse, type Refusal, RefusalError } from "../../base/index.ts";

type Schema = Readonly<Record<string, unknown>>;

const understood = new Set(
  (
    "type properties required items enum const anyOf oneOf $ref $defs definitions title description default examples " +
    "additionalProperties minItems maxItems minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum " +
    "$schema $id strict"
  ).split(" "),
);
const maxDepth = 32;
const maxItems = 256;

/** The JSON text of the smallest value that matches a schema, or a refusal naming the keyword that is not understood. */
export function instanceOf(schema: Schema): string | Refusal {
  try {
    return JSON.stringify(valueOf(schema, schema, 0));
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

function valueOf(schema: unknown, root: Schema, depth: number): unknown {
  if (schema === true || schema === undefined) return "fake";
  if (typeof schema !== "object" || schema === null) return cannot("a schema that allows nothing");
  if (depth > maxDepth) return cannot("a schema deeper than 32 levels");
  const members = schema as Schema;
  for (const keyword of Object.keys(members))
    if (!understood.has(keyword)) cannot(`the keyword ${JSON.stringify(keyword.slice(0, 40))}`);
  if ("const" in members) return members["const"];
  if (Array.isArray(members["enum"])) return members["enum"][0];
  if (typeof members["$ref"] === "string") return valueOf(resolve(members["$ref"], root), root, depth + 1);
  const choices = members["anyOf"] ?? members["oneOf"];
  if (Array.isArray(choices)) return valueOf(choices[0], root, depth + 1);
  return valueOfType(members, root, depth);
}

function valueOfType(schema: Schema, root: Schema, depth: number): unknown {
  const type = Array.isArray(schema["type"]) ? (schema["type"] as unknown[])[0] : schema["type"];
  switch (type ?? ("properties" in schema ? "object" : "string")) {
    case "object":
      return objectOf(schema, root, depth);
    case "array": {
      const length = Math.min(number(schema["maxItems"]) ?? Infinity, Math.max(1, number(schema["minItems"]) ?? 1));
      if (length > maxItems) return cannot("an array of more than 256 items");
      return Array.from({ length }, () => valueOf(schema["items"], root, depth + 1));
    }
    case "string":
      return textOf(number(schema["minLength"]) ?? 0, number(schema["maxLength"]));
    case "number":
    case "integer":
      return numberOf(schema, type === "integer");
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return cannot("a type that JSON does not have");
  }
}

function objectOf(schema: Schema, root: Schema, depth: number): object {
  const properties = (schema["properties"] ?? {}) as Schema;
  const required = Array.isArray(schema["required"]) ? (schema["required"] as unknown[]).map(String) : [];
  return Object.fromEntries(required.map((name) => [name, valueOf(properties[name], root, depth + 1)]));
}

function textOf(minLength: number, maxLength: number | undefined): string {
  if (minLength > 4_096) cannot("a string of more than 4,096 characters");
  return "fake".padEnd(minLength, "fake").slice(0, maxLength ?? Infinity);
}

function numberOf(schema: Schema, isInteger: boolean): number {
  const above = number(schema["exclusiveMinimum"]);
  const below = number(schema["exclusiveMaximum"]);
  const step = isInteger ? 1 : 1e-3;
  const min = Math.max(number(schema["minimum"]) ?? -Infinity, above === undefined ? -Infinity : above + step);
  const max = Math.min(number(schema["maximum"]) ?? Infinity, below === undefined ? Infinity : below - step);
  if (min > max) cannot("a number without room between its bounds");
  const value = Math.min(max, Math.max(min, 1));
  return isInteger ? Math.ceil(value) : value;
}

function resolve(reference: string, root: Schema): unknown {
  if (reference === "#") return root;
  const match = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference);
  const found = match === null ? undefined : (root[match[1]!] as Schema | undefined)?.[match[2]!];
  return found ?? cannot(`the reference ${JSON.stringify(reference.slice(0, 40))}`);
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function cannot(what: string): never {
  throw new RefusalError(refuse("unsupported_schema", `The schema holds ${what}, which this engine cannot enforce.`));
}
