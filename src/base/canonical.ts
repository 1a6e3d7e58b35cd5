import { nestingMax } from "./nesting.ts";

/** What canonical JSON may hold here: no fractions (they are decimal strings), no undefined. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [name: string]: CanonicalValue };

/**
 * The one JSON encoding of a value (RFC 8785, for values whose numbers are safe integers): members sorted by UTF-16
 * code units, no white space, shortest escapes. Throws on a fraction: a receipt or a record never holds one.
 */
export function canonicalJson(value: CanonicalValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new RangeError(`canonical JSON holds safe integers only, not ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: CanonicalValue) => canonicalJson(item)).join(",")}]`;
  const members = value as { readonly [name: string]: CanonicalValue };
  let text = "{";
  for (const name of Object.keys(members).sort()) {
    text += `${text.length > 1 ? "," : ""}${JSON.stringify(name)}:${canonicalJson(members[name]!)}`;
  }
  return `${text}}`;
}

/** Printable ASCII without what JSON escapes: what nearly every text of ours is. */
const plain = /^[ !#-[\]-~]*$/;

/** A text as JSON, or "null"; half surrogates, which no UTF-8 can hold, become U+FFFD. */
export function quoteJson(text: string | null): string {
  if (text === null) return "null";
  return plain.test(text) ? `"${text}"` : JSON.stringify(text.toWellFormed());
}

/**
 * The one JSON encoding (RFC 8785) of what anybody's JSON says, fractions included, as ECMAScript writes numbers (section
 * 3.2.2.3); members that are undefined are left out, as `JSON.stringify` leaves them. Undefined where there is none: half
 * surrogates (section 3.2.2.2), more than 200 levels, or what is no JSON at all.
 */
export function canonicalForm(value: unknown): string | undefined {
  try {
    return formOf(value, nestingMax);
  } catch (error) {
    if (error instanceof NoForm) return undefined;
    throw error;
  }
}

class NoForm extends Error {}

function formOf(value: unknown, levels: number): string {
  if (typeof value === "string") return textForm(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "0" : String(value);
  if (typeof value !== "object" || levels === 0) throw new NoForm();
  if (Array.isArray(value)) return `[${value.map((each: unknown) => formOf(each ?? null, levels - 1)).join(",")}]`;
  const members = value as Readonly<Record<string, unknown>>;
  let text = "{";
  for (const name of Object.keys(members).sort()) {
    const member = members[name];
    if (member !== undefined) text += `${text.length > 1 ? "," : ""}${textForm(name)}:${formOf(member, levels - 1)}`;
  }
  return `${text}}`;
}

function textForm(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new NoForm();
  return JSON.stringify(text);
}
