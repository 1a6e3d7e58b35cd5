import type { List, Page } from "./operations.ts";

/** The part of items in memory that a page asks for. */
export function paged<Item>(items: readonly Item[], { limit, after }: Page): List<Item> {
  const from = Number(after ?? 0);
  const end = from + limit;
  return { items: items.slice(from, end), next: end < items.length ? String(end) : null };
}
