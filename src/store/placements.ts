import { type Kysely, sql } from "kysely";
import type { Objective, Tier } from "../base/index.ts";
import type { Database } from "./schema.ts";

/** How many were due alike: under one objective of one tier. */
export interface DeadlineSum {
  /** null: nobody noted it. */
  readonly tier: Tier | null;
  /** null, both: nobody noted it. */
  readonly ttftMs: Objective["ttftMs"] | null;
  readonly tpotMs: Objective["tpotMs"] | null;
  readonly requests: number;
  /** Of those whose tokens are known. */
  readonly outputTokens: number;
  /** Requests whose tokens are not. */
  readonly uncounted: number;
}

/** Requests that ended the same way under the same decision, for one project. */
export interface PlacementSum {
  readonly project: string;
  readonly projectName: string | null;
  readonly organisation: string | null;
  readonly organisationName: string | null;
  /** JSON: question and candidates; null: nothing was kept of it. */
  readonly body: string | null;
  /** Where they ran; null: policy refused them. */
  readonly destination: string | null;
  /** Whether they say by which decision: those of earlier releases do not. */
  readonly isNamed: boolean;
  readonly requests: number;
  /** Without an amount. */
  readonly unrated: number;
  /** Exact decimal string. */
  readonly amount: string;
  readonly currency: string | null;
  /** None of those that policy refused: they were never admitted. */
  readonly deadlines: readonly DeadlineSum[];
}

export interface PlacementQuestion {
  readonly since: Date;
  /** The newest requests that are looked at, and as many refusals. */
  readonly newest: number;
  readonly groups: number;
}

export interface PlacementReport {
  /** The largest first. */
  readonly sums: readonly PlacementSum[];
  /** Requests in groups beyond the bound. */
  readonly leftOut: number;
}

interface Row extends Omit<PlacementSum, "requests" | "unrated"> {
  readonly requests: string;
  readonly unrated: string;
  readonly all: string;
}

/** Where requests ran since a time, and which were refused by policy, added up by decision, destination and project. */
export async function placementReport(db: Kysely<Database>, question: PlacementQuestion): Promise<PlacementReport> {
  const { since, newest, groups } = question;
  const day = since.toISOString().slice(0, 10);
  const { rows } = await sql<Row>`
    WITH ran AS (
      SELECT decision, destination, project, currency, unrated, list_amount, tier, ttft_ms, tpot_ms, output_tokens
      FROM usage
      WHERE day >= ${day}::date AND started_at >= ${since} ORDER BY started_at DESC LIMIT ${newest}::bigint
    ), refused AS (
      SELECT (body::json ->> 'decision') AS decision, (body::json ->> 'placement') AS placement, project FROM refusals
      WHERE code = 'no_permitted_site' AND at >= ${since} ORDER BY number DESC LIMIT ${newest}::bigint
    ), due AS (
      SELECT decision, destination, project, currency, tier, ttft_ms, tpot_ms, count(*) AS requests,
        count(unrated) AS unrated, sum(list_amount) AS amount, coalesce(sum(output_tokens), 0) AS output_tokens,
        count(*) - count(output_tokens) AS uncounted
      FROM ran GROUP BY decision, destination, project, currency, tier, ttft_ms, tpot_ms
    ), sums AS (
      SELECT due.project, due.decision, d.body, destination, currency, sum(requests) AS requests, sum(unrated) AS unrated,
        trim_scale(coalesce(sum(amount), 0))::text AS amount,
        json_agg(json_build_object(
          'tier', tier, 'ttftMs', ttft_ms, 'tpotMs', tpot_ms, 'requests', requests, 'outputTokens', output_tokens,
          'uncounted', uncounted
        ) ORDER BY tier, ttft_ms, tpot_ms) AS deadlines
      FROM due LEFT JOIN decisions d ON d.digest = due.decision
      GROUP BY due.project, due.decision, d.body, destination, currency
      UNION ALL
      SELECT project, decision, placement, NULL, NULL, count(*), 0, '0', '[]' FROM refused
      GROUP BY project, decision, placement
    )
    SELECT s.project, projects.name AS project_name, organisations.id AS organisation,
      organisations.name AS organisation_name, s.body, s.destination, s.decision IS NOT NULL AS is_named, s.requests,
      s.unrated, s.amount, s.currency, s.deadlines, sum(s.requests) OVER () AS all
    FROM sums s
    LEFT JOIN projects ON projects.id = s.project
    LEFT JOIN organisations ON organisations.id = projects.organisation
    ORDER BY s.requests DESC, s.project, s.decision, s.destination
    LIMIT ${groups}::bigint`.execute(db);
  const sums = rows.map(({ project, projectName, organisation, organisationName, body, destination, ...row }) => ({
    project,
    projectName,
    organisation,
    organisationName,
    body,
    destination,
    isNamed: row.isNamed,
    requests: Number(row.requests),
    unrated: Number(row.unrated),
    amount: row.amount,
    currency: row.currency,
    deadlines: row.deadlines,
  }));
  const shown = sums.reduce((total, { requests }) => total + requests, 0);
  return { sums, leftOut: Number(rows[0]?.all ?? 0) - shown };
}
