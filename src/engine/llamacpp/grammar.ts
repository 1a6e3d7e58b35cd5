import { numberGrammar } from "./number-grammar.ts";
import { finiteDefinitions, isFinite, type Property, type Shape, type Shapes, type StringFormat } from "./shape.ts";

/** Rules that every grammar of ours may use; written out only where they are. */
const library = {
  // As much layout as models like to write, and no more: without an end to it an answer might never get one.
  ws: '(" " | "\\n" [ \\t]{0,20})?',
  // Surrogates may not be escaped: a pair would count as two characters, and one alone is none.
  char: '[^"\\\\\\x00-\\x1F] | "\\\\" (["\\\\/bfnrt] | "u" ([0-9a-cA-CefEF] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))',
  string: '"\\"" char* "\\""',
  number: numberGrammar(false, undefined, undefined)!,
  object: '"{" ws (string ":" ws value ("," ws string ":" ws value)* ws)? "}"',
  array: '"[" ws (value ("," ws value)* ws)? "]"',
  value: 'object | array | string | number | "true" | "false" | "null"',
  date:
    '[0-9]{4} "-" (("0" [13578] | "1" [02]) "-" ("0" [1-9] | [12] [0-9] | "3" [01]) | ("0" [469] | "11") "-" ' +
    '("0" [1-9] | [12] [0-9] | "30") | "02-" ("0" [1-9] | "1" [0-9] | "2" [0-8]))',
  time: '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? ("Z" | [-+] ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9])',
  hex: "[0-9a-f]",
  octet: '"25" [0-5] | "2" [0-4] [0-9] | "1" [0-9]{2} | [1-9] [0-9] | [0-9]',
} as const;

type LibraryRule = keyof typeof library;

const formats: Readonly<Record<StringFormat, string>> = {
  "date-time": 'date "T" time',
  date: "date",
  time: "time",
  uuid: 'hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}',
  ipv4: 'octet "." octet "." octet "." octet',
};

/** A grammar in GBNF, llama.cpp's notation (grammars/README.md there), written rule by rule. */
export class GrammarWriter {
  readonly #rules = new Map<string, string>();

  /** The text of the grammar whose answers are `root`. */
  text(root: string): string {
    const rules = [`root ::= ${root}`, ...[...this.#rules].map(([name, body]) => `${name} ::= ${body}`)];
    const used = new Set<LibraryRule>();
    for (const rule of rules) collectUsed(rule, used);
    for (const name of used) collectUsed(library[name], used);
    return [...rules, ...[...used].map((name) => `${name} ::= ${library[name]}`)].join("\n");
  }

  /** Adds the rules of a schema; returns an expression for its values. */
  schema(shapes: Shapes): string {
    return new ShapeWriter(shapes, this).write(shapes.root);
  }

  add(body: string): string {
    const name = `r${this.#rules.size}`;
    this.#rules.set(name, body);
    return name;
  }

  /** Takes a name for a rule whose body is still to come. */
  reserve(): { readonly name: string; readonly fill: (body: string) => void } {
    const name = this.add("");
    return { name, fill: (body) => this.#rules.set(name, body) };
  }
}

function collectUsed(body: string, used: Set<LibraryRule>): void {
  const withoutLiterals = body.replace(/"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]/g, " ");
  for (const [name] of withoutLiterals.matchAll(/[a-z]\w*/g))
    if (Object.hasOwn(library, name)) used.add(name as LibraryRule);
}

class ShapeWriter {
  readonly #grammar: GrammarWriter;
  readonly #shapes: Shapes;
  readonly #finite: ReadonlySet<string>;
  readonly #definitions = new Map<string, string>();

  constructor(shapes: Shapes, grammar: GrammarWriter) {
    this.#shapes = shapes;
    this.#grammar = grammar;
    this.#finite = finiteDefinitions(shapes.definitions);
  }

  /** An expression that stands for one value: a rule's name, a literal, or something in parentheses. */
  write(shape: Shape): string {
    switch (shape.kind) {
      case "any":
        return "value";
      case "null":
        return '"null"';
      case "boolean":
        return '("true" | "false")';
      case "literal":
        return `(${shape.values.map(({ json }) => quoted(json)).join(" | ")})`;
      case "string":
        return this.#string(shape.minLength, shape.maxLength);
      case "formatted":
        return `("\\"" ${formats[shape.format]} "\\"")`;
      case "number":
        return `(${numberGrammar(shape.isInteger, shape.min, shape.max)})`;
      case "array":
        return this.#grammar.add(this.#array(shape));
      case "object":
        return this.#object(shape);
      case "union":
        return this.#grammar.add(
          shape.options
            .filter((option) => isFinite(option, this.#finite))
            .map((option) => this.write(option))
            .join(" | "),
        );
      default:
        return this.#definition(shape.pointer);
    }
  }

  #string(minLength: number, maxLength: number | undefined): string {
    if (minLength === 0 && maxLength === undefined) return "string";
    return this.#grammar.add(`"\\"" ${repeated("char", minLength, maxLength)} "\\""`);
  }

  #array({ first, rest, minItems, maxItems }: Extract<Shape, { kind: "array" }>): string {
    const endless = first.findIndex((item) => !isFinite(item, this.#finite));
    const hasRest = rest !== undefined && endless < 0 && isFinite(rest, this.#finite);
    const mostItems = Math.min(hasRest ? Infinity : endless < 0 ? first.length : endless, maxItems ?? Infinity);
    if (mostItems === 0) return '"[" ws "]"';
    // Each is written once: twice on every level would be exponential in the depth.
    const restItem = hasRest ? this.write(rest) : "";
    const items = first.slice(0, mostItems).map((item) => this.write(item));
    if (items.length === 0) items.push(restItem);
    const more = mostItems - items.length;
    // What may follow the fixed items, built from the last one backwards.
    let after = more > 0 ? repeated(`("," ws ${restItem})`, Math.max(0, minItems - items.length), more) : "";
    for (let index = items.length - 1; index >= 1; index--) {
      const following = this.#grammar.add(`"," ws ${items[index]} ${after}`);
      after = index < minItems ? following : `(${following})?`;
    }
    const all = `${items[0]} ${after} ws`;
    return `"[" ws ${minItems > 0 ? all : `(${all})?`} "]"`;
  }

  #object({ properties, others, isOpen }: Extract<Shape, { kind: "object" }>): string {
    const possible = properties.filter(({ shape }) => isFinite(shape, this.#finite));
    if (possible.length > 0) return this.#grammar.add(`"{" ws ${this.#members(possible)} "}"`);
    if (!isOpen || others === undefined || !isFinite(others, this.#finite)) return '("{" ws "}")';
    if (others.kind === "any") return "object";
    const member = `string ":" ws ${this.write(others)}`;
    return this.#grammar.add(`"{" ws (${member} ("," ws ${member})* ws)? "}"`);
  }

  /**
   * Properties in their order, those that are not required with and without. `rest` is what may follow a property,
   * `begin` what may stand where none has been written yet; both are built from the last property backwards, so that
   * the rules stay as many as the properties.
   */
  #members(properties: readonly Property[]): string {
    let rest = "";
    let begin: string | undefined;
    for (const { name, shape, isRequired } of properties.toReversed()) {
      const member = this.#grammar.add(`${quoted(`${JSON.stringify(name)}:`)} ws ${this.write(shape)}`);
      const whole = `${member} ${rest}`;
      begin = isRequired || begin === undefined ? whole : `${whole} | ${this.#grammar.add(begin)}`;
      rest = this.#grammar.add(isRequired ? `"," ws ${member} ${rest}` : `("," ws ${member})? ${rest}`);
    }
    const isOptional = properties.every((property) => !property.isRequired);
    return isOptional ? `((${begin}) ws)?` : `(${begin}) ws`;
  }

  #definition(pointer: string): string {
    const known = this.#definitions.get(pointer);
    if (known !== undefined) return known;
    // Named before it is written, because it may refer to itself.
    const { name, fill } = this.#grammar.reserve();
    this.#definitions.set(pointer, name);
    fill(this.write(this.#shapes.definitions.get(pointer)!));
    return name;
  }
}

function repeated(item: string, min: number, max: number | undefined): string {
  if (max === undefined || max === Infinity) return min === 0 ? `${item}*` : `${item}{${min},}`;
  return `${item}{${min},${max}}`;
}

/** A text as a literal in GBNF. */
export function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll("\u007f", "\\x7F");
  return `"${escaped}"`;
}
