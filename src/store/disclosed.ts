import { type Kysely, sql } from "kysely";
import type { Database } from "./schema.ts";

/** Requests that one project ran at one place under one decision, over one endpoint, by one model. */
export interface RanSum {
  readonly organisation: string;
  readonly organisationName: string | null;
  readonly project: string;
  readonly projectName: string | null;
  readonly endpoint: string;
  readonly model: string;
  readonly site: string;
  readonly destination: string | null;
  /** JSON: question and candidates; null: nothing was kept of it. */
  readonly body: string | null;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unrated: number;
}

interface Times {
  readonly from: Date;
  /** Not in it any more. */
  readonly to: Date;
}

interface RanRow extends Omit<RanSum, "requests" | "inputTokens" | "outputTokens" | "unrated"> {
  readonly requests: string;
  readonly inputTokens: string;
  readonly outputTokens: string;
  readonly unrated: string;
  readonly all: string;
}

/** What ran in a period, and how many requests are in groups beyond the bound. The largest groups first. */
export async function ranReport(
  db: Kysely<Database>,
  { from, to, organisation, groups }: Times & { readonly organisation: string | undefined; readonly groups: number },
): Promise<{ readonly sums: readonly RanSum[]; readonly leftOut: number }> {
  const of = organisation === undefined ? sql`` : sql`AND organisation = ${organisation}`;
  const { rows } = await sql<RanRow>`
    WITH ran AS (
      SELECT organisation, project, endpoint, model, site, destination, decision, count(*) AS requests,
        coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
        count(unrated) AS unrated
      FROM usage
      WHERE day BETWEEN ${dayOf(from)}::date AND ${dayOf(to)}::date AND started_at >= ${from} AND started_at < ${to} ${of}
      GROUP BY organisation, project, endpoint, model, site, destination, decision
    )
    SELECT ran.*, o.name AS organisation_name, p.name AS project_name, d.body, sum(ran.requests) OVER () AS all
    FROM ran
    LEFT JOIN organisations o ON o.id = ran.organisation
    LEFT JOIN projects p ON p.id = ran.project
    LEFT JOIN decisions d ON d.digest = ran.decision
    ORDER BY ran.requests DESC, ran.project, ran.endpoint, ran.model, ran.site, ran.destination, ran.decision
    LIMIT ${groups}::bigint`.execute(db);
  const sums = rows.map((row) => ({
    organisation: row.organisation,
    organisationName: row.organisationName,
    project: row.project,
    projectName: row.projectName,
    endpoint: row.endpoint,
    model: row.model,
    site: row.site,
    destination: row.destination,
    body: row.body,
    requests: Number(row.requests),
    inputTokens: Number(row.inputTokens),
    outputTokens: Number(row.outputTokens),
    unrated: Number(row.unrated),
  }));
  const shown = sums.reduce((total, { requests }) => total + requests, 0);
  return { sums, leftOut: Number(rows[0]?.all ?? 0) - shown };
}

export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** A part of what one project has asked in a period. */
export interface RecordsQuestion extends Times {
  readonly project: string;
  /** Behind the row that this names; undefined: from the first on. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** A settled request with the statement of its receipt. */
export interface RequestRecord {
  readonly request: string;
  readonly receipt: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly endpoint: string;
  readonly model: string;
  readonly site: string;
  readonly ending: string;
  readonly decision: string | null;
  readonly inputTokens: string | null;
  readonly outputTokens: string | null;
  /** JSON; null: it has none. */
  readonly statement: string | null;
}

/** In the order of their ids, which is that of their arrival. */
export async function requestRecords(
  db: Kysely<Database>,
  { project, from, to, after, limit }: RecordsQuestion,
): Promise<readonly RequestRecord[]> {
  const behind = after === undefined ? sql`` : sql`AND u.request > ${after}`;
  const { rows } = await sql<RequestRecord>`
    SELECT u.request, u.receipt, u.started_at, u.ended_at, u.endpoint, u.model, u.site, u.ending, u.decision,
      u.input_tokens, u.output_tokens, r.payload AS statement
    FROM usage u LEFT JOIN receipts r ON r.id = u.receipt
    WHERE u.project = ${project} AND u.day BETWEEN ${dayOf(from)}::date AND ${dayOf(to)}::date
      AND u.started_at >= ${from} AND u.started_at < ${to} ${behind}
    ORDER BY u.request LIMIT ${limit}::bigint`.execute(db);
  return rows;
}

export interface RefusalRecord {
  readonly number: string;
  readonly at: Date;
  readonly code: string;
  /** JSON. */
  readonly body: string;
}

export async function refusalRecords(
  db: Kysely<Database>,
  { project, from, to, after, limit }: RecordsQuestion,
): Promise<readonly RefusalRecord[]> {
  return db
    .selectFrom("refusals")
    .select(["number", "at", "code", "body"])
    .where("project", "=", project)
    .where("at", ">=", from)
    .where("at", "<", to)
    .$if(after !== undefined, (query) => query.where("number", ">", after!))
    .orderBy("number")
    .limit(limit)
    .execute();
}

/** The newest version of the facts that had been applied before a moment; undefined: there was none. */
export async function factsBefore(
  db: Kysely<Database>,
  before: Date,
): Promise<{ readonly version: number; readonly sha256: string; readonly body: string } | undefined> {
  const row = await db
    .selectFrom("documents")
    .select(["version", "sha256", "body"])
    .where("kind", "=", "facts")
    .where("createdAt", "<=", before)
    .orderBy("version", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { ...row, version: Number(row.version) };
}
