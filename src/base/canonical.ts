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
