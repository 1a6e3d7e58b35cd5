import type { List, Page } from "../store/index.ts";

/** One line of an export: which file it is for, and what stands in it. */
export interface Line {
  readonly part: string;
  readonly row: unknown;
}

export const pageRows = 500;

export async function* rows(part: string, found: readonly unknown[]): AsyncGenerator<Line> {
  for (const row of found) yield Promise.resolve({ part, row });
}

export async function* paged<Row>(part: string, list: (page: Page) => Promise<List<Row>>): AsyncGenerator<Line> {
  let after: string | undefined;
  do {
    const { items, next } = await list({ limit: pageRows, after });
    yield* rows(part, items);
    after = next ?? undefined;
  } while (after !== undefined);
}
