import { sql } from "kysely";
import { type Due, unratedDue } from "../alerts/index.ts";
import type { BooksContext } from "../books/index.ts";
import type { Period, RatedBook } from "../ledger/index.ts";

/** What is unrated, to be told of: by the price book's periods, as invoices have them. */
export async function unratedOf({ db, prices }: Pick<BooksContext, "db" | "prices">): Promise<readonly Due[]> {
  const { rows: reach } = await sql<{ firstMs: string | null; lastMs: string | null }>`
    SELECT (extract(epoch FROM min(at)) * 1000)::bigint AS first_ms, (extract(epoch FROM max(at)) * 1000)::bigint AS last_ms
    FROM unrated_usage WHERE rated_at IS NULL`.execute(db);
  const { firstMs, lastMs } = reach[0]!;
  if (firstMs === null) return [];
  const periods = periodsFrom(prices.book, Number(firstMs), Number(lastMs));
  const { rows } = await sql<Omit<Parameters<typeof unratedDue>[0], "events"> & { readonly events: string }>`
    SELECT u.organisation, coalesce(o.name, u.organisation) AS name, u.reason, p.period, sum(u.events)::text AS events
    FROM unrated_usage u
    JOIN unnest(${periods.map(({ name }) => name)}::text[], ${periods.map(({ startMs }) => isoOf(startMs))}::timestamptz[],
      ${periods.map(({ endMs }) => isoOf(endMs))}::timestamptz[]) AS p (period, starts_at, ends_at)
      ON u.at >= p.starts_at AND u.at < p.ends_at
    LEFT JOIN organisations o ON o.id = u.organisation
    WHERE u.rated_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 4, 1 LIMIT 1000`.execute(db);
  return rows.map((row) => unratedDue({ ...row, events: Number(row.events) }));
}

/** A moment is in this century, so that these are not many. */
function periodsFrom({ calendar }: RatedBook, firstMs: number, lastMs: number): readonly Period[] {
  const periods = [calendar.periodAt(firstMs)];
  while (periods.at(-1)!.endMs <= lastMs) periods.push(calendar.periodAt(periods.at(-1)!.endMs));
  return periods;
}

function isoOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
