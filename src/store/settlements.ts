import { type RawBuilder, sql, type Transaction } from "kysely";
import type { Objective, OrganisationId, RequestId, Usage } from "../base/index.ts";
import type { Batch, Settlement, SettlementFacts } from "./batch.ts";
import type { Database } from "./schema.ts";
import { storable } from "./storable.ts";

/** What PostgreSQL reads each fact as. */
const factTypes: Readonly<Record<keyof SettlementFacts, "text" | "bigint" | "numeric" | "json">> = {
  receipt: "text",
  organisation: "text",
  project: "text",
  key: "text",
  model: "text",
  endpoint: "text",
  site: "text",
  ending: "text",
  startedAtMs: "bigint",
  endedAtMs: "bigint",
  usage: "json",
  unrated: "text",
  upperBoundTokens: "bigint",
  amountBound: "numeric",
  listAmount: "numeric",
  currency: "text",
  priceVersion: "text",
  tier: "text",
  objective: "json",
  decision: "text",
  destination: "text",
  placement: "json",
};

const facts = sql.raw(
  Object.entries(factTypes)
    .map(([name, type]) => `"${name}" ${type}`)
    .join(", "),
);

/**
 * Tokens of one organisation's requests to one model within a second, none of which was in the tables before: what sums
 * of usage are made of. Kinds exclude one another.
 */
export interface UsedTokens {
  readonly organisation: OrganisationId;
  readonly model: string;
  readonly isEmbedding: boolean;
  /** Of the tier batch, which may wait; what nobody noted the tier of is not. */
  readonly isBatch: boolean;
  /** The whole second in which the requests began. */
  readonly atMs: number;
  readonly requests: number;
  /** undefined: nobody knows them; it is then one request. */
  readonly tokens: { readonly [Kind in keyof Usage]: bigint } | undefined;
  /** Where its tokens are not known. */
  readonly request: RequestId | undefined;
}

interface UsedRow extends Omit<UsedTokens, "atMs" | "requests" | "tokens" | "request"> {
  readonly atMs: string;
  readonly requests: string;
  readonly inputTokens: string | null;
  readonly cachedInputTokens: string | null;
  readonly outputTokens: string | null;
  readonly reasoningTokens: string | null;
  readonly request: RequestId | null;
}

/**
 * Writes a batch's rows of usage and its receipts; returns what was used by requests that were not there yet. One statement for all
 * of them, whatever their number, whose parameters are columns: numbers as an array, texts as lines, and the bodies as
 * one JSON array. Bodies and receipts stand in it as the journal has them, and PostgreSQL takes them apart: the gateway's
 * process, which has answers to give meanwhile, neither reads nor writes them again. A text of two lines would make its
 * column longer than the others, and their missing values are refused: nothing can end up in another's row.
 */
export async function insertSettlements(
  transaction: Transaction<Database>,
  batch: Batch,
): Promise<readonly UsedTokens[]> {
  const { gateway, settlements } = batch;
  if (settlements.length === 0) return [];
  const used = await sql<UsedRow>`
    WITH settled AS (
      SELECT * FROM ROWS FROM (
        unnest(
          ${lines(settlements, ({ request }) => request)},
          ${numbers(settlements, ({ position }) => position.segment)},
          ${numbers(settlements, ({ position }) => position.offset)},
          ${numbers(settlements, ({ receipt }) => receipt?.batch.segment)},
          ${numbers(settlements, ({ receipt }) => receipt?.batch.offset)},
          ${numbers(settlements, ({ receipt }) => receipt?.leaf)},
          ${lines(settlements, ({ receipt }) => receipt?.payload ?? "")}
        ),
        json_to_recordset(${`[${settlements.map(bodyOf).join(",")}]`}::json) AS (${facts})
      ) AS settlement (request, segment, record_offset, batch_segment, batch_offset, leaf, payload)
    ), used AS (
      INSERT INTO usage (
        gateway, request, segment, record_offset, organisation, project, key, model, endpoint, site, ending,
        started_at, ended_at,
        input_tokens, cached_input_tokens, output_tokens, reasoning_tokens,
        unrated, upper_bound_tokens, amount_bound, list_amount, currency, price_version, tier, ttft_ms, tpot_ms,
        receipt, decision, destination
      )
      SELECT
        ${gateway}::text, request, segment, record_offset, organisation, project, key, model, endpoint, site, ending,
        ${time("startedAtMs")}, ${time("endedAtMs")},
        ${tokens("inputTokens")}, ${tokens("cachedInputTokens")}, ${tokens("outputTokens")}, ${tokens("reasoningTokens")},
        unrated, "upperBoundTokens", "amountBound", "listAmount", currency, "priceVersion", tier,
        ${promised("ttftMs")}, ${promised("tpotMs")}, receipt, decision, destination
      FROM settled
      ON CONFLICT (request) DO NOTHING
      RETURNING request, organisation, model, endpoint = 'embeddings' AS is_embedding,
        ${isOfBatch} AS is_batch, started_at,
        input_tokens, cached_input_tokens, output_tokens, reasoning_tokens,
        (input_tokens >= cached_input_tokens AND output_tokens >= reasoning_tokens) IS TRUE AS is_known
    ), proven AS (
      INSERT INTO receipts (id, project, payload, gateway, segment, record_offset, leaf)
      SELECT receipt, project, payload, ${gateway}::text, batch_segment, batch_offset, leaf
      FROM settled WHERE leaf IS NOT NULL AND ${isOfNobodyErased}
      ON CONFLICT (id) DO NOTHING
    ), decided AS (
      INSERT INTO decisions (digest, body)
      SELECT DISTINCT ON (decision) decision, placement::text
      FROM settled WHERE json_typeof(placement) = 'object' AND ${isOfNobodyErased}
      ON CONFLICT (digest) DO NOTHING
    )
    SELECT organisation, model, is_embedding, is_batch, (extract(epoch FROM date_trunc('second', started_at)) * 1000)::bigint AS at_ms,
      count(*) AS requests, sum(input_tokens - cached_input_tokens) FILTER (WHERE is_known) AS input_tokens,
      sum(cached_input_tokens) FILTER (WHERE is_known) AS cached_input_tokens,
      sum(output_tokens - reasoning_tokens) FILTER (WHERE is_known) AS output_tokens,
      sum(reasoning_tokens) FILTER (WHERE is_known) AS reasoning_tokens,
      CASE WHEN NOT is_known THEN request END AS request
    FROM used GROUP BY 1, 2, 3, 4, 5, 11`.execute(transaction);
  return used.rows.map(usedOf);
}

function usedOf({ organisation, model, isEmbedding, isBatch, atMs, requests, request, ...row }: UsedRow): UsedTokens {
  return {
    organisation,
    model,
    isEmbedding,
    isBatch,
    atMs: Number(atMs),
    requests: Number(requests),
    request: request ?? undefined,
    tokens:
      request === null
        ? {
            inputTokens: BigInt(row.inputTokens!),
            cachedInputTokens: BigInt(row.cachedInputTokens!),
            outputTokens: BigInt(row.outputTokens!),
            reasoningTokens: BigInt(row.reasoningTokens!),
          }
        : undefined,
  };
}

/** An answer can outlast the erasure of its project: what then comes of it stays out, but for what is owed. */
const isOfNobodyErased = sql`NOT EXISTS (
  SELECT FROM projects WHERE projects.id = settled.project AND projects.erased_at IS NOT NULL
)`;

function lines(settlements: readonly Settlement[], textOf: (settlement: Settlement) => string): RawBuilder<unknown> {
  return sql`string_to_array(${settlements.map(textOf).join("\n")}::text, chr(10))`;
}

function numbers(
  settlements: readonly Settlement[],
  numberOf: (settlement: Settlement) => number | undefined,
): RawBuilder<unknown> {
  return sql`${`{${settlements.map((settlement) => numberOf(settlement) ?? "NULL").join(",")}}`}::bigint[]`;
}

/** The few bodies that escape a character are written anew: what it stands for may be nothing that a text can hold. */
function bodyOf({ body }: Settlement): string {
  if (!body.includes("\\u")) return body;
  return JSON.stringify(JSON.parse(body), (_name, value: unknown) =>
    typeof value === "string" ? storable(value) : value,
  );
}

/** Exact: the microseconds of any year up to 2255 are below 2^53, which is what an interval is multiplied in. */
function time(fact: "startedAtMs" | "endedAtMs"): RawBuilder<unknown> {
  return sql`timestamptz 'epoch' + ${sql.raw(`"${fact}"`)} * interval '1 millisecond'`;
}

function tokens(kind: keyof Usage): RawBuilder<unknown> {
  return sql`(usage ->> ${sql.lit(kind)})::bigint`;
}

function promised(member: keyof Objective): RawBuilder<unknown> {
  return sql`(objective ->> ${sql.lit(member)})::bigint`;
}

/** Of a row of usage. */
export const isOfBatch = sql<boolean>`(tier = 'batch') IS TRUE`;

/** Decisions whose questions are kept; older ones are dropped as newer ones arrive. */
export const decisionsKept = 100_000;

export async function dropOldDecisions(transaction: Transaction<Database>): Promise<void> {
  await sql`
    DELETE FROM decisions WHERE number <= (SELECT max(number) FROM decisions) - ${decisionsKept}::bigint`.execute(
    transaction,
  );
}

/** A place in the journal is shipped once: a batch that is there already is a defect, and is told as one. */
export async function insertReceiptBatches(transaction: Transaction<Database>, batch: Batch): Promise<void> {
  if (batch.receiptBatches.length === 0) return;
  const rows = batch.receiptBatches.map(({ start, hashes, seal }) => ({
    segment: start.segment,
    record_offset: start.offset,
    hashes: hashes.toString("base64"),
    seal,
  }));
  await sql`
    INSERT INTO receipt_batches (gateway, segment, record_offset, hashes, seal)
    SELECT ${batch.gateway}::text, segment, record_offset, decode(hashes, 'base64'), seal
    FROM json_to_recordset(${JSON.stringify(rows)}::json) AS batch (
      segment bigint, record_offset bigint, hashes text, seal text
    )`.execute(transaction);
}
