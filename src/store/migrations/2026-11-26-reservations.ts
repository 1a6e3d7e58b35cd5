import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * What tenants have reserved: a whole device, or a share of the pool's capacity, for a time. Two promises are kept here,
 * whoever writes: no device is reserved twice at the same time, and shares leave a part of the pool for everybody else.
 */
const statements = [
  `INSERT INTO epochs (name, number) VALUES ('reservations', 0)`,

  // A range of texts compares devices in a GiST index without the extension btree_gist, which a database that is given
  // by URL need not have.
  `CREATE TYPE device_range AS RANGE (subtype = text, collation = "C")`,

  // `period` is when it holds: it ends before `until_at` where somebody ended it, and is empty where that was before it
  // began. A row is never removed, because it was metered.
  `CREATE TABLE reservations (
    id text PRIMARY KEY,
    project text NOT NULL REFERENCES projects,
    device text CHECK (device <> '' AND length(device) <= 200),
    share numeric CHECK (share > 0 AND share <= 1),
    starts_at timestamptz NOT NULL CHECK (isfinite(starts_at)),
    until_at timestamptz NOT NULL CHECK (isfinite(until_at)),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    note text,
    period tstzrange NOT NULL GENERATED ALWAYS AS
      (tstzrange(starts_at, greatest(starts_at, coalesce(ended_at, until_at)))) STORED,
    CONSTRAINT reservations_last CHECK (until_at > starts_at),
    CONSTRAINT reservations_end_early CHECK (ended_at < until_at),
    CONSTRAINT reservations_are_of_one_kind CHECK ((device IS NULL) <> (share IS NULL)),
    CONSTRAINT reservations_of_one_device_apart EXCLUDE USING gist
      (device_range(device, device, '[]') WITH &&, period WITH &&) WHERE (device IS NOT NULL)
  )`,
  `CREATE INDEX reservations_by_period ON reservations USING gist (period)`,
  `CREATE INDEX reservations_by_project ON reservations (project)`,

  // A sum over rows is beyond a constraint. The most that is reserved at once in a row's period is reserved where one
  // of the shares in it begins. The lock makes writers wait for one another, and each statement sees what the one before
  // has committed (at READ COMMITTED, which is what everybody writes with).
  `CREATE FUNCTION reservations_check_shares() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE most numeric;
    BEGIN
      PERFORM pg_advisory_xact_lock(hashtext('bailiwick reservations'));
      SELECT max(together) INTO most FROM (
        SELECT sum(other.share) AS together
        FROM reservations begun JOIN reservations other ON other.period @> begun.starts_at
        WHERE begun.share IS NOT NULL AND NEW.period @> begun.starts_at AND other.share IS NOT NULL
        GROUP BY begun.id
      ) AS sums;
      IF most > 0.9 THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = 'reservations_leave_a_share',
          MESSAGE = format('shares that are reserved at the same time would come to %s', most);
      END IF;
      RETURN NULL;
    END
  $$`,
  `CREATE TRIGGER reservations_leave_a_share AFTER INSERT OR UPDATE ON reservations
    FOR EACH ROW WHEN (NEW.share IS NOT NULL) EXECUTE FUNCTION reservations_check_shares()`,
];

export const reservations: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
