import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * The first schema. A migration is frozen once released: it imports nothing that changes, and what it got wrong a later
 * one puts right.
 *
 * usage, receipts and refusals have no foreign keys to the tenants' tables: the journal is ahead of a database that was
 * restored from a backup, and a row of usage must never be turned away because its key is not there any more.
 */
const statements = [
  // One row, and one installation: a gateway of another one is refused.
  `CREATE TABLE installation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    id text NOT NULL,
    created_at timestamptz NOT NULL
  )`,

  // A change to policy, keys or prices and the number that tells of it are committed together.
  `CREATE TABLE epochs (
    name text PRIMARY KEY,
    number bigint NOT NULL CHECK (number >= 0)
  )`,
  `INSERT INTO epochs (name, number) VALUES ('keys', 0), ('policy', 0), ('prices', 0)`,

  `CREATE TABLE organisations (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    created_at timestamptz NOT NULL,
    models text[],
    requests_per_minute bigint CHECK (requests_per_minute >= 0),
    tokens_per_minute bigint CHECK (tokens_per_minute >= 0),
    monthly_budget numeric CHECK (monthly_budget >= 0),
    expires_at timestamptz
  )`,

  `CREATE TABLE projects (
    id text PRIMARY KEY,
    organisation text NOT NULL REFERENCES organisations,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL,
    data_class text NOT NULL CHECK (data_class <> ''),
    processing text[] NOT NULL DEFAULT '{}',
    unsupported text NOT NULL DEFAULT 'refuse' CHECK (unsupported IN ('refuse', 'warn')),
    models text[],
    requests_per_minute bigint CHECK (requests_per_minute >= 0),
    tokens_per_minute bigint CHECK (tokens_per_minute >= 0),
    monthly_budget numeric CHECK (monthly_budget >= 0),
    expires_at timestamptz,
    UNIQUE (organisation, name)
  )`,

  // The key itself is stored nowhere: its hash finds it, its prefix lets a person recognise it.
  `CREATE TABLE keys (
    id text PRIMARY KEY,
    project text NOT NULL REFERENCES projects,
    name text NOT NULL CHECK (name <> ''),
    prefix text NOT NULL,
    secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    models text[],
    requests_per_minute bigint CHECK (requests_per_minute >= 0),
    tokens_per_minute bigint CHECK (tokens_per_minute >= 0),
    monthly_budget numeric CHECK (monthly_budget >= 0),
    expires_at timestamptz
  )`,
  // A revoked key's name is free again.
  `CREATE UNIQUE INDEX keys_by_name ON keys (project, name) WHERE revoked_at IS NULL`,

  // The HMAC keys of the receipts' digests. Erasing one makes every digest under it say nothing about anyone.
  `CREATE TABLE digest_keys (
    id text PRIMARY KEY,
    project text NOT NULL REFERENCES projects,
    secret bytea,
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK ((secret IS NULL) = (erased_at IS NOT NULL))
  )`,
  `CREATE INDEX digest_keys_by_project ON digest_keys (project, created_at)`,

  // One row a settled request. A number that is not known is null and the row says why it is unrated: never zero.
  // The day is the day of admission: the price and the budget were fixed then.
  `CREATE TABLE usage (
    request text PRIMARY KEY,
    gateway text NOT NULL,
    segment bigint NOT NULL,
    record_offset bigint NOT NULL,
    organisation text NOT NULL,
    project text NOT NULL,
    key text NOT NULL,
    model text NOT NULL,
    endpoint text NOT NULL,
    site text NOT NULL,
    ending text NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    day date NOT NULL GENERATED ALWAYS AS ((started_at AT TIME ZONE 'UTC')::date) STORED,
    input_tokens bigint CHECK (input_tokens >= 0),
    cached_input_tokens bigint CHECK (cached_input_tokens >= 0),
    output_tokens bigint CHECK (output_tokens >= 0),
    reasoning_tokens bigint CHECK (reasoning_tokens >= 0),
    unrated text CHECK (unrated <> ''),
    upper_bound_tokens bigint CHECK (upper_bound_tokens >= 0),
    list_amount numeric,
    currency text,
    price_version text,
    receipt text,
    CONSTRAINT usage_is_rated_or_says_why CHECK (unrated IS NOT NULL OR (
      input_tokens IS NOT NULL AND cached_input_tokens IS NOT NULL AND output_tokens IS NOT NULL
      AND reasoning_tokens IS NOT NULL AND list_amount IS NOT NULL AND currency IS NOT NULL AND price_version IS NOT NULL
    ))
  )`,
  `CREATE INDEX usage_by_holder ON usage (organisation, project, key, model, day)`,
  `CREATE INDEX usage_by_day ON usage (day)`,

  // What a receipt's file is made of: the statement, its place in its batch, and the batch's signature.
  `CREATE TABLE receipts (
    id text PRIMARY KEY,
    project text NOT NULL,
    payload text NOT NULL,
    batch_index bigint NOT NULL CHECK (batch_index >= 0),
    batch_size bigint NOT NULL CHECK (batch_size > batch_index),
    path text[] NOT NULL,
    seal text NOT NULL
  )`,

  // How far each gateway's journal is in the tables above; it moves in the transaction that inserts the rows.
  `CREATE TABLE watermarks (
    gateway text PRIMARY KEY,
    segment bigint NOT NULL CHECK (segment >= 0),
    record_offset bigint NOT NULL CHECK (record_offset >= 0)
  )`,

  // Journaled refusals and policy inputs, the newest only; the number lets the oldest be dropped cheaply.
  `CREATE TABLE refusals (
    gateway text NOT NULL,
    segment bigint NOT NULL,
    record_offset bigint NOT NULL,
    number bigint GENERATED BY DEFAULT AS IDENTITY,
    at timestamptz NOT NULL,
    project text,
    key text,
    code text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (gateway, segment, record_offset)
  )`,
  `CREATE INDEX refusals_by_number ON refusals (number)`,
];

export const first: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
