import type { Shape, Shapes } from "./shape.ts";

/** What a JSON value can begin with: values of two of these are told apart by their first character. */
const beginnings = ["object", "array", "string", "number", "word"] as const;
type Beginning = (typeof beginnings)[number];
type Ways = Readonly<Record<Beginning, number>>;
type ObjectShape = Extract<Shape, { kind: "object" }>;

const none: Ways = { object: 0, array: 0, string: 0, number: 0, word: 0 };

/**
 * How many ways of going on can be open at once while a value of these shapes is written, at most; above `limit` only
 * that it is more. A grammar's engine keeps each of them and tries every token of the vocabulary on all: choices that
 * look alike for long, one in another, double them at each level. Choices that their first character tells apart do
 * not add up, nor do objects that their first property does.
 */
export function openWays({ root, definitions }: Shapes, limit: number): number {
  const known = new Map<string, Ways>();
  const waysOf = (shape: Shape): Ways => ways(shape, known, definitions, limit + 1);
  // Definitions may refer to each other and to themselves: from none upwards until nothing changes any more.
  for (let isChanged = true; isChanged;) {
    isChanged = false;
    for (const [pointer, shape] of definitions) {
      const next = waysOf(shape);
      const last = known.get(pointer) ?? none;
      if (beginnings.every((beginning) => next[beginning] === last[beginning])) continue;
      known.set(pointer, next);
      isChanged = true;
    }
  }
  return Math.max(most(waysOf(root)), ...[...known.values()].map(most));
}

function ways(shape: Shape, known: ReadonlyMap<string, Ways>, definitions: Shapes["definitions"], cap: number): Ways {
  const inside = (inner: Shape | undefined): number =>
    inner === undefined ? 0 : most(ways(inner, known, definitions, cap));
  switch (shape.kind) {
    case "any":
      return { object: 1, array: 1, string: 1, number: 1, word: 1 };
    case "null":
    case "boolean":
      return { ...none, word: 1 };
    case "literal":
      return shape.values.reduce((sum: Ways, { type }) => ({ ...sum, [beginningOf(type)]: 1 }), none);
    case "string":
    case "formatted":
      return { ...none, string: 1 };
    case "number":
      return { ...none, number: 1 };
    case "array":
      return { ...none, array: Math.max(1, inside(shape.rest), ...shape.first.map(inside)) };
    case "object": {
      const written = shape.properties.length > 0 ? shape.properties.map((property) => property.shape) : [shape.others];
      return { ...none, object: Math.max(1, ...written.map(inside)) };
    }
    case "reference":
      return known.get(shape.pointer) ?? none;
    default:
      return union(
        shape.options.map((option) => ways(option, known, definitions, cap)),
        shape.options.map((option) => resolved(option, definitions)),
        cap,
      );
  }
}

function union(options: readonly Ways[], shapes: readonly (Shape | undefined)[], cap: number): Ways {
  const sum = { ...none };
  for (const option of options) {
    for (const beginning of beginnings) sum[beginning] = Math.min(cap, sum[beginning] + option[beginning]);
  }
  const withObjects = options.flatMap((option, index) => (option.object > 0 ? [{ option, shape: shapes[index] }] : []));
  const objects = withObjects.flatMap(({ shape }) => (shape?.kind === "object" ? [shape] : []));
  if (objects.length === withObjects.length && areApartEarly(objects)) {
    // Side by side until the first property is written, and from there on only one of them.
    sum.object = Math.min(cap, Math.max(objects.length, ...withObjects.map(({ option }) => option.object)));
  }
  return sum;
}

function most(ways: Ways): number {
  return Math.max(...beginnings.map((beginning) => ways[beginning]));
}

function beginningOf(type: string): Beginning {
  if (type === "null" || type === "boolean") return "word";
  return type as Beginning;
}

/** What a chain of references leads to; undefined where it leads nowhere, or further than anyone means. */
function resolved(shape: Shape, definitions: Shapes["definitions"]): Shape | undefined {
  let found: Shape | undefined = shape;
  for (let steps = 0; found?.kind === "reference"; steps++) {
    if (steps > 16) return undefined;
    found = definitions.get(found.pointer);
  }
  return found;
}

/** Whether any two of the objects differ in the name of their first property, or in the values that it may have. */
function areApartEarly(objects: readonly ObjectShape[]): boolean {
  const seen = new Set<string>();
  for (const { properties } of objects) {
    const [first] = properties;
    if (first === undefined || !first.isRequired) return false;
    const { name, shape } = first;
    const values = shape.kind === "literal" ? shape.values.map(({ json }) => json) : [""];
    // A property of any value is like every other value of the same property.
    if (shape.kind !== "literal" && [...seen].some((key) => key.startsWith(`${JSON.stringify(name)}:`))) return false;
    for (const value of values) {
      const key = `${JSON.stringify(name)}:${value}`;
      if (seen.has(key) || seen.has(`${JSON.stringify(name)}:`)) return false;
      seen.add(key);
    }
  }
  return true;
}
