import { refuse, type Refusal, RefusalError } from "../../base/index.ts";
import { openWays } from "./ambiguity.ts";
import {
  type Bound,
  Comparison,
  finiteDefinitions,
  isFinite,
  type JsonType,
  type Literal,
  type Property,
  type Shape,
  type Shapes,
  type StringFormat,
  stringFormats,
} from "./shape.ts";

/** How large a schema may be; beyond that it is refused before a grammar is made of it. */
export const schemaLimits = {
  bytes: 65_536,
  depth: 24,
  /** Schemas in schemas, all counted. */
  nodes: 1_000,
  propertiesOfOne: 128,
  enumValues: 1_000,
  /** Lengths and counts that a grammar spells out, each and all together. */
  repetition: 1_000,
  repetitions: 4_000,
  /** Ways of going on that its choices may leave open at once (ambiguity.ts). */
  openWays: 128,
} as const;

/** Says something about a value, without a say in which values there are. */
const annotations: ReadonlySet<string> = new Set([
  "title",
  "description",
  "default",
  "example",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
  "contentMediaType",
  "contentEncoding",
  "$comment",
  "$schema",
  "$defs",
  "definitions",
]);

/** The keywords of JSON Schema (2020-12) that the grammar enforces, by the type that they speak of. */
const keywordsOfType = {
  string: ["minLength", "maxLength", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  object: ["properties", "required", "additionalProperties"],
  boolean: [],
  null: [],
} as const satisfies Record<JsonType, readonly string[]>;

export const enforcedKeywords: readonly string[] = [
  "type",
  "enum",
  "const",
  "anyOf",
  "oneOf",
  "allOf",
  "$ref",
  ...Object.values(keywordsOfType).flat(),
];

type Members = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON Schema as far as a grammar can enforce it. Everything else is refused by keyword and path, with
 * `unsupported_schema`: a keyword that is not enforced, a schema that no value satisfies, one that is too large.
 * Of an object with `properties` only these are generated, although others may be allowed.
 */
export function readSchema(
  schema: unknown,
  path: string,
): { readonly outcome: "read"; readonly shapes: Shapes } | Refusal {
  try {
    return { outcome: "read", shapes: new SchemaReader(schema, path).read() };
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

class SchemaReader {
  readonly #schema: unknown;
  readonly #path: string;
  readonly #definitions = new Map<string, Shape>();
  readonly #choices: { readonly options: readonly Shape[]; readonly path: string }[] = [];
  #nodes = 0;
  #enumValues = 0;
  #repetitions = 0;

  constructor(schema: unknown, path: string) {
    this.#schema = schema;
    this.#path = path;
  }

  read(): Shapes {
    checkSize(this.#schema, this.#path);
    const bytes = Buffer.byteLength(JSON.stringify(this.#schema) ?? "");
    if (bytes > schemaLimits.bytes) refused(this.#path, `it has ${bytes} bytes, more than ${schemaLimits.bytes}.`);
    const root = this.#shape(this.#schema, this.#path, 0);
    const shapes = { root, definitions: this.#definitions };
    const comparison = new Comparison(this.#definitions);
    for (const { options, path } of this.#choices) checkApart(options, path, comparison);
    this.#checkEnds(shapes);
    if (openWays(shapes, schemaLimits.openWays) > schemaLimits.openWays) {
      refused(
        this.#path,
        `its choices may leave more than ${schemaLimits.openWays} ways of going on open at once; give objects to choose ` +
          "from a required first property that tells them apart.",
      );
    }
    return shapes;
  }

  #shape(schema: unknown, path: string, depth: number): Shape {
    if (++this.#nodes > schemaLimits.nodes) refused(path, `it holds more than ${schemaLimits.nodes} schemas.`);
    if (depth > schemaLimits.depth) refused(path, `it is nested deeper than ${schemaLimits.depth}.`);
    if (schema === true) return { kind: "any" };
    if (schema === false) return { kind: "literal", values: [] };
    if (!isMembers(schema)) refused(path, "a schema is an object or a boolean.");
    const keywords = Object.keys(schema).filter((keyword) => !annotations.has(keyword) && !keyword.startsWith("x-"));
    for (const keyword of keywords) {
      if (keyword === "$id" && depth === 0) continue;
      if (!enforcedKeywords.includes(keyword))
        refused(`${path}.${keyword}`, `the keyword ${keyword} cannot be enforced.`);
    }
    const alone = ["$ref", "anyOf", "oneOf", "allOf", "const", "enum"].find((keyword) => keyword in schema);
    if (alone !== undefined) return this.#alone(alone, schema, keywords, path, depth);
    return union(typesIn(schema, keywords, path).map((type) => this.#typed(type, schema, path, depth)));
  }

  #alone(keyword: string, schema: Members, keywords: readonly string[], path: string, depth: number): Shape {
    const isValues = keyword === "enum" || keyword === "const";
    const beside = keywords.find((other) => other !== keyword && other !== "$id" && !(isValues && other === "type"));
    if (beside !== undefined) {
      refused(`${path}.${beside}`, `the keyword ${beside} cannot be enforced beside ${keyword}.`);
    }
    const value = schema[keyword];
    if (keyword === "$ref") return this.#reference(value, `${path}.$ref`);
    if (isValues) return this.#literals(keyword === "const" ? [value] : value, schema, `${path}.${keyword}`);
    const list = nonEmptyArray(value, `${path}.${keyword}`);
    if (keyword === "allOf" && list.length > 1) refused(`${path}.allOf`, "allOf is enforced with one schema only.");
    const options = list.map((option, index) => this.#shape(option, `${path}.${keyword}[${index}]`, depth + 1));
    if (keyword === "oneOf") this.#choices.push({ options, path: `${path}.oneOf` });
    return union(options);
  }

  #reference(value: unknown, path: string): Shape {
    if (typeof value !== "string" || !/^#(?:\/|$)/.test(value)) {
      refused(path, "a reference must be a JSON pointer into the same schema, such as #/$defs/name.");
    }
    if (!this.#definitions.has(value)) {
      // Taken note of before it is read, because it may refer to itself.
      this.#definitions.set(value, { kind: "literal", values: [] });
      this.#definitions.set(value, this.#shape(this.#target(value, path), `${this.#path}${value}`, 1));
    }
    return { kind: "reference", pointer: value };
  }

  #target(pointer: string, path: string): unknown {
    let target = this.#schema;
    for (const part of pointer.split("/").slice(1)) {
      const key = decodePointer(part);
      const holder = target;
      if ((!isMembers(holder) && !Array.isArray(holder)) || !Object.hasOwn(holder, key))
        refused(path, `${pointer} does not exist.`);
      target = (holder as Members)[key];
    }
    return target;
  }

  #literals(value: unknown, schema: Members, path: string): Shape {
    const values = nonEmptyArray(value, path);
    this.#enumValues += values.length;
    if (this.#enumValues > schemaLimits.enumValues) refused(path, `more than ${schemaLimits.enumValues} values.`);
    if (values.some((one) => typeof one === "object" && one !== null)) {
      refused(path, "of values only strings, numbers, booleans and null can be enforced.");
    }
    if (values.some((one) => typeof one === "string" && !one.isWellFormed())) {
      refused(path, "a string with half a surrogate pair cannot be enforced.");
    }
    const types = schema["type"] === undefined ? undefined : namedTypes(schema["type"], `${path}.type`);
    const literals = values.map((one): Literal & { one: unknown } => ({
      type: typeOf(one),
      json: JSON.stringify(one),
      one,
    }));
    const typed = literals.filter(({ type, one }) => {
      if (types === undefined || types.includes(type)) return true;
      return type === "number" && types.includes("integer") && Number.isInteger(one);
    });
    return { kind: "literal", values: typed.map(({ type, json }) => ({ type, json })) };
  }

  #typed(type: JsonType | "integer", schema: Members, path: string, depth: number): Shape {
    switch (type) {
      case "null":
      case "boolean":
        return { kind: type };
      case "integer":
      case "number":
        return numberShape(type === "integer", schema, path);
      case "string":
        return this.#string(schema, path);
      case "array":
        return this.#array(schema, path, depth);
      default:
        return this.#object(schema, path, depth);
    }
  }

  #string(schema: Members, path: string): Shape {
    const { format } = schema;
    const minLength = this.#count(schema["minLength"], `${path}.minLength`) ?? 0;
    const maxLength = this.#count(schema["maxLength"], `${path}.maxLength`);
    if (format === undefined) {
      if (maxLength !== undefined && maxLength < minLength) return { kind: "literal", values: [] };
      return { kind: "string", minLength, maxLength };
    }
    if (!isEnforcedFormat(format)) {
      refused(`${path}.format`, `of the formats only ${stringFormats.join(", ")} can be enforced.`);
    }
    if (minLength > 0 || maxLength !== undefined) refused(`${path}.format`, "it cannot be enforced beside a length.");
    return { kind: "formatted", format };
  }

  #array(schema: Members, path: string, depth: number): Shape {
    const minItems = this.#count(schema["minItems"], `${path}.minItems`) ?? 0;
    const maxItems = this.#count(schema["maxItems"], `${path}.maxItems`);
    const prefix =
      schema["prefixItems"] === undefined ? [] : nonEmptyArray(schema["prefixItems"], `${path}.prefixItems`);
    const first = prefix.map((item, index) => this.#shape(item, `${path}.prefixItems[${index}]`, depth + 1));
    const items = schema["items"];
    const rest = items === false ? undefined : this.#shape(items ?? true, `${path}.items`, depth + 1);
    if (maxItems !== undefined && maxItems < minItems) return { kind: "literal", values: [] };
    return { kind: "array", first, rest, minItems, maxItems };
  }

  #object(schema: Members, path: string, depth: number): Shape {
    const declared = schema["properties"] ?? {};
    if (!isMembers(declared)) refused(`${path}.properties`, "expected an object.");
    const required = schema["required"] ?? [];
    if (!Array.isArray(required) || required.some((name) => typeof name !== "string")) {
      refused(`${path}.required`, "expected an array of strings.");
    }
    const names = new Set<string>([...Object.keys(declared), ...(required as string[])]);
    if (names.size > schemaLimits.propertiesOfOne) {
      refused(`${path}.properties`, `more than ${schemaLimits.propertiesOfOne} properties.`);
    }
    const additional = schema["additionalProperties"] ?? true;
    const others =
      additional === false ? undefined : this.#shape(additional, `${path}.additionalProperties`, depth + 1);
    for (const name of names) checkName(name, `${path}.properties`);
    const impossible: Shape = { kind: "literal", values: [] };
    const properties = [...names].map((name): Property => {
      const isDeclared = Object.hasOwn(declared, name);
      const shape = isDeclared
        ? this.#shape(declared[name], `${path}.properties.${name}`, depth + 1)
        : (others ?? impossible);
      return { name, shape, isRequired: (required as string[]).includes(name) };
    });
    return { kind: "object", properties, others, isOpen: schema["properties"] === undefined };
  }

  /** A length or a count; what a grammar spells out is bounded. */
  #count(value: unknown, path: string): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 0) refused(path, "expected a count.");
    this.#repetitions += value;
    const { repetition, repetitions } = schemaLimits;
    if (value > repetition) refused(path, `at most ${repetition} can be enforced.`);
    if (this.#repetitions > repetitions) refused(path, `lengths and counts come to more than ${repetitions}.`);
    return value;
  }

  #checkEnds(shapes: Shapes): void {
    const finite = finiteDefinitions(shapes.definitions);
    if (!isFinite(shapes.root, finite)) refused(this.#path, "no value satisfies it.");
    for (const pointer of shapes.definitions.keys()) {
      if (leadsTo(pointer, shapes.definitions.get(pointer)!, shapes.definitions, new Set())) {
        refused(`${this.#path}${pointer}`, "it refers to itself without anything in between.");
      }
    }
  }
}

/** Names that no grammar can spell, or that no object of this language can be told to have. */
function checkName(name: string, path: string): void {
  if (!name.isWellFormed()) refused(path, "a name with half a surrogate pair cannot be enforced.");
  if (name === "__proto__") refused(path, "the name __proto__ cannot be enforced.");
}

/** Looks at a schema's size without recursion, so that what follows may recurse. */
function checkSize(schema: unknown, path: string): void {
  const open = [{ value: schema, depth: 0 }];
  for (let visited = 0; open.length > 0; visited++) {
    const { value, depth } = open.pop()!;
    if (visited > schemaLimits.bytes || depth > 4 * schemaLimits.depth) refused(path, "it is too large or too deep.");
    if (typeof value !== "object" || value === null) continue;
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 });
  }
}

function checkApart(options: readonly Shape[], path: string, comparison: Comparison): void {
  for (const [index, option] of options.entries()) {
    for (const other of options.slice(0, index)) {
      if (comparison.areDisjoint(option, other)) continue;
      refused(path, "it cannot be told that no value matches two of its schemas; use anyOf where that may be.");
    }
  }
}

/** Whether a definition comes back to itself through choices and references alone. */
function leadsTo(pointer: string, shape: Shape, definitions: Shapes["definitions"], seen: Set<string>): boolean {
  if (shape.kind === "union") return shape.options.some((option) => leadsTo(pointer, option, definitions, seen));
  if (shape.kind !== "reference") return false;
  if (shape.pointer === pointer) return true;
  if (seen.has(shape.pointer)) return false;
  seen.add(shape.pointer);
  return leadsTo(pointer, definitions.get(shape.pointer)!, definitions, seen);
}

function numberShape(isInteger: boolean, schema: Members, path: string): Shape {
  const bound = (inclusive: string, exclusive: string, pick: (a: number, b: number) => boolean): Bound | undefined => {
    const at = integerBound(schema[inclusive], `${path}.${inclusive}`);
    const beyond = integerBound(schema[exclusive], `${path}.${exclusive}`);
    if (beyond === undefined) return at === undefined ? undefined : { value: at, isExclusive: false };
    if (at === undefined || !pick(at, beyond)) return { value: beyond, isExclusive: true };
    return { value: at, isExclusive: false };
  };
  const min = bound("minimum", "exclusiveMinimum", (at, beyond) => at > beyond);
  const max = bound("maximum", "exclusiveMaximum", (at, beyond) => at < beyond);
  return { kind: "number", isInteger, min, max };
}

function integerBound(value: unknown, path: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "number") refused(path, "expected a number.");
  if (!Number.isSafeInteger(value)) refused(path, "a bound can be enforced where it is an integer below 2^53.");
  return value;
}

/** The types that a schema names, or those that its keywords speak of; without any, all. */
function typesIn(schema: Members, keywords: readonly string[], path: string): readonly (JsonType | "integer")[] {
  if (schema["type"] !== undefined) {
    const types = namedTypes(schema["type"], `${path}.type`);
    for (const keyword of keywords) {
      if (keyword === "type" || keyword === "$id") continue;
      const speaksOf = typesSpokenOf(keyword);
      // It would be without effect, which nobody means: a slip is better refused than dropped.
      if (!types.some((type) => speaksOf.includes(type === "integer" ? "number" : type))) {
        refused(`${path}.${keyword}`, `the keyword ${keyword} has no effect on type ${types.join(", ")}.`);
      }
    }
    return types;
  }
  const spokenOf = new Set(keywords.flatMap(typesSpokenOf));
  return spokenOf.size > 0 ? [...spokenOf] : ["object", "array", "string", "number", "boolean", "null"];
}

function typesSpokenOf(keyword: string): readonly JsonType[] {
  const all = Object.entries(keywordsOfType) as [JsonType, readonly string[]][];
  return all.filter(([, keywords]) => keywords.includes(keyword)).map(([type]) => type);
}

function namedTypes(value: unknown, path: string): readonly (JsonType | "integer")[] {
  const names = Array.isArray(value) ? nonEmptyArray(value, path) : [value];
  for (const name of names) {
    if (name !== "integer" && !(typeof name === "string" && Object.hasOwn(keywordsOfType, name))) {
      refused(path, `unknown type ${JSON.stringify(name)}.`);
    }
  }
  return names as readonly (JsonType | "integer")[];
}

function union(options: readonly Shape[]): Shape {
  return options.length === 1 ? options[0]! : { kind: "union", options };
}

function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  return typeof value as "boolean" | "number" | "string";
}

function isEnforcedFormat(format: unknown): format is StringFormat {
  return (stringFormats as readonly unknown[]).includes(format);
}

function nonEmptyArray(value: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) refused(path, "expected an array that is not empty.");
  return value;
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decodePointer(part: string): string {
  let decoded = part;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    // Not percent-encoded: a pointer may hold a bare per cent sign.
    decoded = part;
  }
  return decoded.replaceAll("~1", "/").replaceAll("~0", "~");
}

function refused(path: string, message: string): never {
  throw new RefusalError(refuse("unsupported_schema", `${path}: ${message}`, { param: path }));
}
