import { join } from "node:path";
import type { Gathered } from "./gather.ts";
import type { ReportOptions } from "./options.ts";

/** Where the published page is. */
export function publishedIn(root: string): string {
  return join(root, "docs/reports");
}

export interface ReportPlace {
  readonly folder: string;
  /** What to say of it behind its path; nothing where it is the published one. */
  readonly why: string;
}

/**
 * Where the page goes. A quick run's figures mean little, and a part of the rows is no report: neither takes the place of
 * the published page, which would be a page of dashes on a clone that has no cache.
 */
export function placeOf(
  { results, rows }: Pick<Gathered, "results" | "rows">,
  { isQuick, isPublished, only, traces, cache }: ReportOptions,
  root: string,
): ReportPlace {
  if (isQuick) return { folder: join(cache, "quick"), why: ": a quick run's page is not published" };
  const published: ReportPlace = { folder: publishedIn(root), why: "" };
  if (only === undefined || isPublished) return published;
  const known = new Set(results.all.map(({ row }) => row.name));
  const missing = rows.filter(({ name }) => !known.has(name)).length;
  if (missing === 0 && traces !== undefined) return published;
  const lacks = missing === 0 ? "the rows of recorded traces" : `${missing} of ${rows.length} rows`;
  return {
    folder: join(cache, "part"),
    why: `: it lacks ${lacks}, so docs/reports/pool.md stays as it is (--publish writes it all the same)`,
  };
}
