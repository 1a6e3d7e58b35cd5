import { type Kysely, sql } from "kysely";
import type { Database } from "./schema.ts";

/** What other services have told of one SKU of an organisation. */
export interface ToldUsage {
  readonly organisation: string;
  /** What it is called now. */
  readonly organisationName: string;
  readonly sku: string;
  readonly records: number;
  /** Of those that say how much it was: an exact decimal string. */
  readonly quantity: string;
  /** Records that do not say it. */
  readonly uncounted: number;
}

export interface ToldQuestion {
  readonly organisation?: string;
  /** UTC days, "2026-11-24"; both are included. */
  readonly fromDay?: string;
  readonly toDay?: string;
  /** Organisation and SKU of the last one that was had. */
  readonly after?: readonly [string, string];
  readonly limit: number;
}

/** Records of other services, added up by organisation and SKU, in that order. */
export async function toldUsage(
  db: Kysely<Database>,
  { organisation, fromDay, toDay, after, limit }: ToldQuestion,
): Promise<readonly ToldUsage[]> {
  const startOf = (day: string) => sql`${day}::date::timestamp AT TIME ZONE 'UTC'`;
  const filters = [
    sql`true`,
    ...(organisation === undefined ? [] : [sql`organisation = ${organisation}`]),
    ...(fromDay === undefined ? [] : [sql`at >= ${startOf(fromDay)}`]),
    ...(toDay === undefined ? [] : [sql`at < ${startOf(toDay)} + interval '1 day'`]),
    ...(after === undefined ? [] : [sql`(organisation, sku) > (${after[0]}, ${after[1]})`]),
  ];
  const { rows } = await sql<Omit<ToldUsage, "records" | "uncounted"> & { records: string; uncounted: string }>`
    SELECT s.*, coalesce(o.name, s.organisation) AS organisation_name
    FROM (
      SELECT organisation, sku, count(*) AS records, trim_scale(coalesce(sum(quantity), 0))::text AS quantity,
        count(*) FILTER (WHERE quantity IS NULL) AS uncounted
      FROM usage_events WHERE ${sql.join(filters, sql` AND `)}
      GROUP BY organisation, sku ORDER BY organisation, sku LIMIT ${limit}::bigint
    ) s LEFT JOIN organisations o ON o.id = s.organisation
    ORDER BY s.organisation, s.sku`.execute(db);
  return rows.map((row) => ({ ...row, records: Number(row.records), uncounted: Number(row.uncounted) }));
}
