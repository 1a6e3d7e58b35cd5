import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Hosts on other machines, and the tokens by which they joined. Two promises are kept here, whoever writes: a key is one
 * host's for ever, also where that was revoked, and neither the key nor the site of a host ever changes.
 */
const statements = [
  `INSERT INTO epochs (name, number) VALUES ('hosts', 0)`,

  `CREATE TABLE hosts (
    id text PRIMARY KEY,
    site text NOT NULL CHECK (site <> ''),
    fingerprint text NOT NULL UNIQUE CHECK (fingerprint ~ '^[A-Za-z0-9_-]{43}$'),
    address text NOT NULL CHECK (address <> '' AND length(address) <= 300),
    joined_at timestamptz NOT NULL,
    revoked_at timestamptz,
    told text CHECK (length(told) <= 1000000)
  )`,
  `CREATE FUNCTION hosts_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF (NEW.id, NEW.site, NEW.fingerprint, NEW.joined_at) IS DISTINCT FROM
         (OLD.id, OLD.site, OLD.fingerprint, OLD.joined_at)
         OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'hosts_stay',
          MESSAGE = 'a host keeps its key and its site, and stays revoked';
      END IF;
      RETURN NEW;
    END
  $$`,
  `CREATE TRIGGER hosts_stay BEFORE UPDATE ON hosts FOR EACH ROW EXECUTE FUNCTION hosts_stay()`,

  `CREATE TABLE host_tokens (
    id text PRIMARY KEY,
    secret_sha256 text NOT NULL UNIQUE CHECK (secret_sha256 ~ '^[0-9a-f]{64}$'),
    site text NOT NULL CHECK (site <> ''),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    revoked_at timestamptz,
    host text UNIQUE REFERENCES hosts,
    CONSTRAINT host_tokens_end_once CHECK (host IS NULL OR revoked_at IS NULL)
  )`,
];

export const hosts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
