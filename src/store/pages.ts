import { type Id, type IdPrefix, isId, refuse, RefusalError } from "../base/index.ts";

/** A part of a list: so many rows behind the one that `after` names. */
export interface Page {
  readonly limit: number;
  /** The `next` of the part before; undefined: from the beginning. */
  readonly after: string | undefined;
}

export interface List<Item> {
  readonly items: Item[];
  /** Where the next part begins; null: there is none. */
  readonly next: string | null;
}

/** The id that a page begins behind; no id is before the first. Throws a refusal where `after` is no list's `next`. */
export function behind<Prefix extends IdPrefix>(prefix: Prefix, { after }: Page): Id<Prefix> {
  if (after === undefined) return `${prefix}_`;
  if (isId(prefix, after)) return after;
  throw new RefusalError(refuse("invalid_request", "This is not the `next` of a list.", { param: "after" }));
}

/** `rows`: of the page and one more, where there is one. */
export function pageOf<Row extends { readonly id: string }, Item>(
  rows: readonly Row[],
  page: Page,
  told: (row: Row) => Item,
): List<Item> {
  const shown = rows.slice(0, page.limit);
  return { items: shown.map(told), next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null };
}
