import { type Kysely, sql } from "kysely";
import type { Database } from "./schema.ts";

/** How long an accelerator was up, and had work in that, within one hour. */
export interface AcceleratorHour {
  /** The moment that the time ends at; its hour (UTC) is the row's. */
  readonly atMs: number;
  readonly host: string;
  readonly device: string;
  readonly upMs: number;
  readonly busyMs: number;
}

/** Adds to the hours that are there. */
export async function addAcceleratorTime(db: Kysely<Database>, hours: readonly AcceleratorHour[]): Promise<void> {
  if (hours.length === 0) return;
  const rows = hours.map(({ atMs, host, device, upMs, busyMs }) => [atMs, host, device, upMs, busyMs]);
  await sql`
    INSERT INTO accelerator_time (hour, host, device, up_ms, busy_ms)
    SELECT date_trunc('hour', timestamptz 'epoch' + (e ->> 0)::bigint * interval '1 millisecond', 'UTC') AS hour,
      e ->> 1, e ->> 2, sum((e ->> 3)::bigint), sum((e ->> 4)::bigint)
    FROM json_array_elements(${JSON.stringify(rows)}::json) AS e
    GROUP BY 1, 2, 3
    ON CONFLICT (hour, host, device) DO UPDATE
      SET up_ms = accelerator_time.up_ms + excluded.up_ms, busy_ms = accelerator_time.busy_ms + excluded.busy_ms`.execute(
    db,
  );
}

/** Sums by kind of device, over hours that begin in a period; seconds. */
export async function acceleratorTime(
  db: Kysely<Database>,
  { from, to }: { readonly from: Date; readonly to: Date },
): Promise<readonly { readonly device: string; readonly upSeconds: number; readonly busySeconds: number }[]> {
  const { rows } = await sql<{ device: string; up: string; busy: string }>`
    SELECT device, sum(up_ms) AS up, sum(busy_ms) AS busy FROM accelerator_time
    WHERE hour >= ${from} AND hour < ${to} GROUP BY device ORDER BY device`.execute(db);
  return rows.map(({ device, up, busy }) => ({
    device,
    upSeconds: Number(up) / 1_000,
    busySeconds: Number(busy) / 1_000,
  }));
}
