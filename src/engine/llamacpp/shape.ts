/** The text of a schema that the grammar can enforce: what values it has, and nothing else. */
export type Shape =
  | { readonly kind: "any" }
  | { readonly kind: "null" }
  | { readonly kind: "boolean" }
  /** One of these values, as JSON text. */
  | { readonly kind: "literal"; readonly values: readonly Literal[] }
  | { readonly kind: "string"; readonly minLength: number; readonly maxLength: number | undefined }
  | { readonly kind: "formatted"; readonly format: StringFormat }
  | {
      readonly kind: "number";
      readonly isInteger: boolean;
      readonly min: Bound | undefined;
      readonly max: Bound | undefined;
    }
  | {
      readonly kind: "array";
      readonly first: readonly Shape[];
      /** What follows `first`; undefined: nothing may. */
      readonly rest: Shape | undefined;
      readonly minItems: number;
      readonly maxItems: number | undefined;
    }
  | {
      readonly kind: "object";
      readonly properties: readonly Property[];
      /** Values of names that `properties` does not have; undefined: there are none. */
      readonly others: Shape | undefined;
      /** Whether names are generated that nobody declared: only where nothing is said of any. */
      readonly isOpen: boolean;
    }
  | { readonly kind: "union"; readonly options: readonly Shape[] }
  /** A definition, by its JSON pointer. */
  | { readonly kind: "reference"; readonly pointer: string };

export interface Literal {
  readonly type: JsonType;
  readonly json: string;
}

export interface Property {
  readonly name: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
}

/** A bound of a number; an integer itself. */
export interface Bound {
  readonly value: number;
  readonly isExclusive: boolean;
}

export type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";

export const stringFormats = ["date-time", "date", "time", "uuid", "ipv4"] as const;
export type StringFormat = (typeof stringFormats)[number];

/** A schema's root, and the definitions that it refers to. */
export interface Shapes {
  readonly root: Shape;
  readonly definitions: ReadonlyMap<string, Shape>;
}

/** The definitions of which some value is finite: an object that must contain itself has none. */
export function finiteDefinitions(definitions: ReadonlyMap<string, Shape>): ReadonlySet<string> {
  const finite = new Set<string>();
  for (let before = -1; before !== finite.size;) {
    before = finite.size;
    for (const [pointer, shape] of definitions) if (isFinite(shape, finite)) finite.add(pointer);
  }
  return finite;
}

/** Whether there is a value of this shape that can be written down to its end. */
export function isFinite(shape: Shape, finite: ReadonlySet<string>): boolean {
  switch (shape.kind) {
    case "any":
    case "null":
    case "boolean":
    case "string":
    case "formatted":
      return true;
    case "number":
      return shape.min === undefined || shape.max === undefined || hasNumber(shape.isInteger, shape.min, shape.max);
    case "literal":
      return shape.values.length > 0;
    case "array": {
      const needed = shape.first.slice(0, shape.minItems);
      const restIsNeeded = shape.minItems > shape.first.length;
      const restIsFinite = shape.rest !== undefined && isFinite(shape.rest, finite);
      return needed.every((item) => isFinite(item, finite)) && (!restIsNeeded || restIsFinite);
    }
    case "object":
      return shape.properties.every(({ shape, isRequired }) => !isRequired || isFinite(shape, finite));
    case "reference":
      return finite.has(shape.pointer);
    default:
      return shape.options.some((option) => isFinite(option, finite));
  }
}

function hasNumber(isInteger: boolean, min: Bound, max: Bound): boolean {
  if (!isInteger) return min.value < max.value || (min.value === max.value && !min.isExclusive && !max.isExclusive);
  return min.value + Number(min.isExclusive) <= max.value - Number(max.isExclusive);
}

/**
 * Tells whether no value can have two shapes, as far as that can be told without trying values. It looks at a bounded
 * number of pairs, and beyond that says no.
 */
export class Comparison {
  readonly #definitions: ReadonlyMap<string, Shape>;
  #pairsLeft = 100_000;

  constructor(definitions: ReadonlyMap<string, Shape>) {
    this.#definitions = definitions;
  }

  areDisjoint(a: Shape, b: Shape, depth = 0): boolean {
    if (depth > 16 || this.#pairsLeft-- <= 0) return false;
    if (a.kind === "reference") return this.areDisjoint(b, this.#definitions.get(a.pointer)!, depth + 1);
    if (b.kind === "reference") return this.areDisjoint(a, this.#definitions.get(b.pointer)!, depth + 1);
    if (a.kind === "union") return a.options.every((option) => this.areDisjoint(option, b, depth + 1));
    if (b.kind === "union") return b.options.every((option) => this.areDisjoint(a, option, depth + 1));
    if (a.kind === "literal" && b.kind === "literal") {
      return a.values.every(({ json }) => b.values.every((other) => other.json !== json));
    }
    if (a.kind === "object" && b.kind === "object") {
      return this.#differInProperty(a, b, depth) || this.#differInProperty(b, a, depth);
    }
    const types = typesOf(a);
    return typesOf(b).every((type) => !types.includes(type));
  }

  /** A property that every `a` has, and that no `b` has, or not with a value that `a` gives it. */
  #differInProperty(a: ObjectShape, b: ObjectShape, depth: number): boolean {
    return a.properties.some(({ name, shape, isRequired }) => {
      if (!isRequired) return false;
      const other = b.properties.find((property) => property.name === name)?.shape ?? b.others;
      return other === undefined || this.areDisjoint(shape, other, depth + 1);
    });
  }
}

type ObjectShape = Extract<Shape, { kind: "object" }>;

function typesOf(shape: Shape): readonly JsonType[] {
  switch (shape.kind) {
    case "literal":
      return [...new Set(shape.values.map(({ type }) => type))];
    case "formatted":
      return ["string"];
    case "null":
    case "boolean":
    case "string":
    case "number":
    case "array":
    case "object":
      return [shape.kind];
    default:
      return ["null", "boolean", "number", "string", "array", "object"];
  }
}
