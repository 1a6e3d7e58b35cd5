import type { IncomingHttpHeaders } from "node:http";
import { nearest, refuse, type Refusal } from "../../base/index.ts";
import type { NarrowingHeaders } from "../../policy/index.ts";

/** The headers by which a request narrows where it may run, by what each says. */
export const narrowingHeaders = {
  dataClass: "bailiwick-data-class",
  processing: "bailiwick-processing",
  purpose: "bailiwick-purpose",
  legalBasis: "bailiwick-legal-basis",
  regimes: "bailiwick-regimes",
} as const satisfies Record<keyof NarrowingHeaders, string>;

/** The person that a request is about, by a pseudonym: what is kept of it can be found and erased by that. */
const subjectHeader = "bailiwick-subject";
const names: ReadonlySet<string> = new Set([...Object.values(narrowingHeaders), subjectHeader]);
const ourPrefix = "bailiwick-";

/**
 * What a request's headers say; undefined where it has none of ours. One of ours that nobody knows is refused: it may be a
 * slip of one that was to protect, and nobody would see that it did not.
 */
export function narrowingOf(headers: IncomingHttpHeaders): NarrowingHeaders | Refusal | undefined {
  let isThere = false;
  for (const name in headers) {
    if (!name.startsWith(ourPrefix)) continue;
    if (!names.has(name)) return unknown(name);
    if (name !== subjectHeader) isThere = true;
  }
  if (!isThere) return undefined;
  const textOf = (name: string): string | undefined => headers[name] as string | undefined;
  return {
    dataClass: textOf(narrowingHeaders.dataClass),
    processing: textOf(narrowingHeaders.processing),
    purpose: textOf(narrowingHeaders.purpose),
    legalBasis: textOf(narrowingHeaders.legalBasis),
    regimes: textOf(narrowingHeaders.regimes),
  };
}

/** The pseudonym that a request names; null: none. */
export function subjectOf(headers: IncomingHttpHeaders): string | Refusal | null {
  const text = headers[subjectHeader];
  if (text === undefined) return null;
  if (typeof text === "string" && /^[\x21-\x7e]{1,128}$/.test(text)) return text;
  const message = `${subjectHeader}: it has 1 to 128 printable ASCII characters without spaces.`;
  return refuse("invalid_request", message, { param: subjectHeader });
}

function unknown(name: string): Refusal {
  const meant = nearest(name, names);
  const hint = meant === undefined ? `There are ${[...names].join(", ")}.` : `Did you mean "${meant}"?`;
  return refuse("invalid_request", `There is no header "${name.slice(0, 100)}". ${hint}`, {
    param: name.slice(0, 100),
  });
}
