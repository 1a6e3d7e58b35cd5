import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** How long each host's accelerator was up, and had work, by the hour. */
const statements = [
  `CREATE TABLE accelerator_time (
    hour timestamptz NOT NULL CHECK (date_trunc('hour', hour, 'UTC') = hour),
    host text NOT NULL,
    device text NOT NULL,
    up_ms bigint NOT NULL CHECK (up_ms >= 0),
    busy_ms bigint NOT NULL CHECK (busy_ms BETWEEN 0 AND up_ms),
    PRIMARY KEY (hour, host, device)
  )`,
];

export const acceleratorTime: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db);
  },
};
