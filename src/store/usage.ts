import { type Kysely, type RawBuilder, sql, type SqlBool } from "kysely";
import type { GatewayId } from "../base/index.ts";
import type { Position } from "./batch.ts";
import type { Database } from "./schema.ts";

const dimensions = ["organisation", "project", "key", "model", "day"] as const;
export type UsageDimension = (typeof dimensions)[number];

export interface UsageQuestion {
  /** What to tell apart; default: all five. */
  readonly by?: readonly UsageDimension[];
  /** Ids or names. A name that several projects or keys share means all of them. */
  readonly organisation?: string;
  readonly project?: string;
  readonly key?: string;
  readonly model?: string;
  /** UTC days, "2026-11-24"; both are included. */
  readonly fromDay?: string;
  readonly toDay?: string;
  /** Rows at most; default 100,000. */
  readonly limit?: number;
}

/** Sums over the requests that have the named values in common; a dimension that was not asked for is absent. */
export interface UsageSum {
  readonly organisation?: string;
  readonly organisationName?: string;
  readonly project?: string;
  readonly projectName?: string;
  readonly key?: string;
  readonly keyName?: string;
  readonly model?: string;
  /** UTC. */
  readonly day?: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /** Requests without an amount: they are in `requests`, and in no amount. */
  readonly unrated: number;
  /** Exact decimal string. */
  readonly amount: string;
  /** null: of requests whose price was never known. */
  readonly currency: string | null;
}

export interface UsageReport {
  readonly rows: readonly UsageSum[];
  /** There were more rows than the limit. */
  readonly truncated: boolean;
}

interface SumRow {
  readonly organisation: string | null;
  readonly organisationName: string | null;
  readonly project: string | null;
  readonly projectName: string | null;
  readonly key: string | null;
  readonly keyName: string | null;
  readonly model: string | null;
  readonly day: string | null;
  readonly requests: string;
  readonly inputTokens: string;
  readonly cachedInputTokens: string;
  readonly outputTokens: string;
  readonly reasoningTokens: string;
  readonly unrated: string;
  readonly amount: string;
  readonly currency: string | null;
}

/** Usage added up, in the order of the dimensions. Amounts of different currencies are never added. */
export async function usageReport(db: Kysely<Database>, question: UsageQuestion = {}): Promise<UsageReport> {
  const by = dimensions.filter((dimension) => (question.by ?? dimensions).includes(dimension));
  const limit = question.limit ?? 100_000;
  const columns = by.map((dimension) => sql`u.${sql.id(dimension)}`);
  const grouped = [...columns, sql`u.currency`];
  const filters = filtersOf(question);
  // The names come last, for the few rows that are left.
  const { rows } = await sql<SumRow>`
    SELECT s.*, ${nameColumns(by)}
    FROM (
      SELECT ${columns.length === 0 ? sql`` : sql`${sql.join(columns)},`} u.currency,
        count(*) AS requests,
        coalesce(sum(u.input_tokens), 0) AS input_tokens,
        coalesce(sum(u.cached_input_tokens), 0) AS cached_input_tokens,
        coalesce(sum(u.output_tokens), 0) AS output_tokens,
        coalesce(sum(u.reasoning_tokens), 0) AS reasoning_tokens,
        count(u.unrated) AS unrated,
        trim_scale(coalesce(sum(u.list_amount), 0))::text AS amount
      FROM usage u
      ${filters.length === 0 ? sql`` : sql`WHERE ${sql.join(filters, sql` AND `)}`}
      GROUP BY ${sql.join(grouped)}
      ORDER BY ${sql.join(grouped)}
      LIMIT ${limit + 1}::bigint
    ) s
    ${sql.join(
      by.flatMap((dimension) => joinsOf[dimension]),
      sql` `,
    )}
    ORDER BY ${sql.join([...by.map((dimension) => sql`s.${sql.id(dimension)}`), sql`s.currency`])}`.execute(db);
  return { rows: rows.slice(0, limit).map((row) => sumOf(row, by)), truncated: rows.length > limit };
}

const joinsOf: Readonly<Record<UsageDimension, RawBuilder<unknown>[]>> = {
  organisation: [sql`LEFT JOIN organisations ON organisations.id = s.organisation`],
  project: [sql`LEFT JOIN projects ON projects.id = s.project`],
  key: [sql`LEFT JOIN keys ON keys.id = s.key`],
  model: [],
  day: [],
};

function nameColumns(by: readonly UsageDimension[]): RawBuilder<unknown> {
  const column = (dimension: UsageDimension, table: string): RawBuilder<unknown> =>
    by.includes(dimension) ? sql`${sql.table(table)}.name` : sql`NULL::text`;
  return sql`${column("organisation", "organisations")} AS organisation_name,
    ${column("project", "projects")} AS project_name, ${column("key", "keys")} AS key_name`;
}

function filtersOf(question: UsageQuestion): RawBuilder<SqlBool>[] {
  const { organisation, project, key, model, fromDay, toDay } = question;
  const filters: RawBuilder<SqlBool>[] = [];
  if (organisation !== undefined) filters.push(isHolder("organisation", "organisations", organisation));
  if (project !== undefined) filters.push(isHolder("project", "projects", project));
  if (key !== undefined) filters.push(isHolder("key", "keys", key));
  if (model !== undefined) filters.push(sql<SqlBool>`u.model = ${model}`);
  if (fromDay !== undefined) filters.push(sql<SqlBool>`u.day >= ${fromDay}::date`);
  if (toDay !== undefined) filters.push(sql<SqlBool>`u.day <= ${toDay}::date`);
  return filters;
}

function isHolder(column: string, table: string, idOrName: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`u.${sql.id(column)} IN
    (SELECT ${idOrName}::text UNION ALL SELECT id FROM ${sql.table(table)} WHERE name = ${idOrName})`;
}

function sumOf(row: SumRow, by: readonly UsageDimension[]): UsageSum {
  const holder = (dimension: "organisation" | "project" | "key"): Partial<UsageSum> =>
    by.includes(dimension)
      ? { [dimension]: row[dimension], [`${dimension}Name`]: row[`${dimension}Name`] ?? row[dimension] }
      : {};
  return {
    ...holder("organisation"),
    ...holder("project"),
    ...holder("key"),
    ...(row.model === null || !by.includes("model") ? {} : { model: row.model }),
    ...(row.day === null || !by.includes("day") ? {} : { day: row.day }),
    requests: tokensOf(row.requests),
    inputTokens: tokensOf(row.inputTokens),
    cachedInputTokens: tokensOf(row.cachedInputTokens),
    outputTokens: tokensOf(row.outputTokens),
    reasoningTokens: tokensOf(row.reasoningTokens),
    unrated: tokensOf(row.unrated),
    amount: row.amount,
    currency: row.currency,
  };
}

/**
 * Tokens are counted in JavaScript numbers, exact up to 2^53: some thousand times what the whole world asks for in a
 * day. A sum beyond that is an upstream's fancy; it is told to the nearest number, and amounts stay exact.
 */
function tokensOf(text: string): number {
  return Number(text);
}

/** What a holder has spent in a month. */
export interface Spent {
  readonly scope: "organisation" | "project" | "key";
  readonly id: string;
  readonly currency: string;
  /** Exact decimal string. */
  readonly amount: string;
}

export interface MonthlySpending {
  readonly spent: readonly Spent[];
  /** How far each gateway's journal is in these sums: what it holds beyond is to be added. */
  readonly watermarks: ReadonlyMap<GatewayId, Position>;
}

/**
 * What every organisation, project and key has spent in the UTC month of the given time, from one snapshot; what is not
 * known counts with its bound, as it did when it was settled.
 */
export async function spentThisMonth(db: Kysely<Database>, nowMs: number): Promise<MonthlySpending> {
  const now = new Date(nowMs);
  const firstDay = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1)).toISOString().slice(0, 10);
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      const { rows } = await sql<Spent>`
        SELECT
          CASE WHEN grouping(organisation) = 0 THEN 'organisation'
               WHEN grouping(project) = 0 THEN 'project' ELSE 'key' END AS scope,
          coalesce(organisation, project, key) AS id, currency, trim_scale(sum(coalesce(list_amount, amount_bound)))::text AS amount
        FROM usage
        WHERE day >= ${firstDay}::date AND day < ${firstDay}::date + interval '1 month'
          AND coalesce(list_amount, amount_bound) IS NOT NULL
        GROUP BY GROUPING SETS ((organisation, currency), (project, currency), (key, currency))`.execute(transaction);
      const marks = await transaction.selectFrom("watermarks").selectAll().execute();
      return {
        spent: rows,
        watermarks: new Map(
          marks.map((mark) => [mark.gateway, { segment: Number(mark.segment), offset: Number(mark.recordOffset) }]),
        ),
      };
    });
}
