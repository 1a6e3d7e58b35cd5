/** A number of a JSON text with digits that no double keeps, as it stands there. */
export class InexactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toJSON(): number {
    return Number(this.source);
  }
}

/** A member that an object names more than once. */
export interface NamedTwice {
  readonly name: string;
  /** Which object of the list that the text is, from 0; 0 where it is no list. */
  readonly place: number;
}

/** One of both values would count, and nobody knows which one was meant. */
export function twiceText({ name }: NamedTwice): string {
  return `${name.slice(0, 100)} is there twice`;
}

export interface ExactJson {
  readonly value: unknown;
  /** The first one; `JSON.parse` would have taken what is said last. */
  readonly twice: NamedTwice | undefined;
}

/**
 * What a JSON text says, where a number that a double cannot hold is an `InexactNumber`, and a member that is there twice is told. `plain`: what
 * `JSON.parse` makes of it, where that is known. Throws a SyntaxError where it is no JSON.
 */
export function readExactJson(text: string, plain: unknown = JSON.parse(text)): ExactJson {
  // What is written again as it was lost nothing: most of what programs write.
  if (JSON.stringify(plain) === text) return { value: plain, twice: undefined };
  const value: unknown = mayLose.test(text) ? JSON.parse(text, kept) : plain;
  return { value, twice: namedTwice(text) };
}

/** 15 digits are always kept, without an exponent. */
const mayLose = /[\d.]{16}|\d[eE]/;

function kept(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined) return value;
  return decimalOf(source) === decimalOf(String(value)) ? value : new InexactNumber(source);
}

/** The same text for the same number: its digits without zeros at their ends, and what power of ten they count. */
function decimalOf(text: string): string {
  const [, sign, whole = "", decimals = "", exponent = "0"] = number.exec(text) ?? [];
  if (sign === undefined) return text;
  const digits = (whole + decimals).replace(/^0+/, "");
  const significant = digits.replace(/0+$/, "");
  const power = Number(exponent) - decimals.length + digits.length - significant.length;
  return significant === "" ? "0" : `${sign}${significant}e${power}`;
}

const number = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** Of a text that is known to be JSON: its strings, those before a colon being names, and where objects and lists begin and end. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}[\]]/g;

function namedTwice(text: string): NamedTwice | undefined {
  const open: Set<string>[] = [];
  let place = -1;
  for (const [token, colon] of text.matchAll(tokens)) {
    if (token === "{" || token === "[") {
      if (token === "{" && open.length <= 1) place += 1;
      open.push(new Set());
    } else if (token === "}" || token === "]") open.pop();
    else if (colon !== undefined) {
      const name = JSON.parse(token.slice(0, -colon.length)) as string;
      const names = open.at(-1)!;
      if (names.has(name)) return { name, place: Math.max(0, text.trimStart().startsWith("[") ? place : 0) };
      names.add(name);
    }
  }
  return undefined;
}
