import { type Kysely, sql } from "kysely";
import { type Database, type List, type Page } from "../store/index.ts";
import type { Alert, Due } from "./due.ts";

export type ChannelName = "webhook" | "email";

/** Deliveries that wait at once; what comes beyond is kept as an alert, and not sent. */
const waitingMost = 10_000;

/** Keeps what was not told before, with its deliveries, and returns that. */
export async function keep(
  db: Kysely<Database>,
  due: readonly Due[],
  channels: readonly ChannelName[],
  nowMs: number,
): Promise<readonly Alert[]> {
  if (due.length === 0) return [];
  const at = new Date(nowMs);
  return db.transaction().execute(async (transaction) => {
    const added = await transaction
      .insertInto("alerts")
      .values(due.map((each) => ({ ...each, at })))
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .execute();
    const waiting = await transaction
      .selectFrom("alertDeliveries")
      .select((expression) => expression.fn.countAll<string>().as("count"))
      .where("state", "=", "waiting")
      .executeTakeFirstOrThrow();
    const room = Math.max(0, waitingMost - Number(waiting.count));
    const deliveries = added
      .flatMap(({ number }) => channels.map((channel) => ({ alert: number, channel, nextAt: at })))
      .slice(0, room);
    if (deliveries.length > 0) await transaction.insertInto("alertDeliveries").values(deliveries).execute();
    return added.map(alertOf);
  });
}

function alertOf({ number, at, ...rest }: Omit<Alert, "number" | "atMs"> & { number: string; at: Date }): Alert {
  return { ...rest, number: Number(number), atMs: at.getTime() };
}

/** One try that is due. */
export interface DueDelivery {
  readonly alert: Alert;
  readonly channel: ChannelName;
  readonly tries: number;
}

export async function dueDeliveries(
  db: Kysely<Database>,
  nowMs: number,
  limit: number,
): Promise<readonly DueDelivery[]> {
  const rows = await db
    .selectFrom("alertDeliveries")
    .innerJoin("alerts", "alerts.number", "alertDeliveries.alert")
    .selectAll("alerts")
    .select(["alertDeliveries.channel", "alertDeliveries.tries"])
    .where("alertDeliveries.state", "=", "waiting")
    .where("alertDeliveries.nextAt", "<=", new Date(nowMs))
    .orderBy("alertDeliveries.nextAt")
    .limit(limit)
    .execute();
  return rows.map(({ channel, tries, ...alert }) => ({ channel, tries, alert: alertOf(alert) }));
}

/** Notes how a try went. `nextMs`: when it is tried again; undefined: not any more. */
export async function noteTry(
  db: Kysely<Database>,
  { alert, channel, tries }: DueDelivery,
  outcome: { readonly problem?: string; readonly nextMs?: number },
): Promise<void> {
  const { problem, nextMs } = outcome;
  const state = problem === undefined ? "delivered" : nextMs === undefined ? "given-up" : "waiting";
  await db
    .updateTable("alertDeliveries")
    .set({
      state,
      tries: tries + 1,
      problem: problem?.slice(0, 500) ?? null,
      ...(nextMs === undefined ? {} : { nextAt: new Date(nextMs) }),
    })
    .where("alert", "=", String(alert.number))
    .where("channel", "=", channel)
    .execute();
}

export interface KeptAlert extends Alert {
  readonly deliveries: readonly {
    readonly channel: ChannelName;
    readonly state: "waiting" | "delivered" | "given-up";
    readonly tries: number;
    readonly problem: string | null;
  }[];
}

/** The newest first. */
export async function alertPage(db: Kysely<Database>, { limit, after }: Page): Promise<List<KeptAlert>> {
  const before = after !== undefined && /^\d{1,15}$/.test(after) ? after : undefined;
  const rows = await db
    .selectFrom("alerts")
    .selectAll()
    .$if(before !== undefined, (query) => query.where("number", "<", before!))
    .orderBy("number", "desc")
    .limit(limit + 1)
    .execute();
  const some = rows.slice(0, limit);
  const numbers = some.map(({ number }) => number);
  const { rows: deliveries } = await sql<KeptAlert["deliveries"][number] & { readonly alert: string }>`
    SELECT alert, channel, state, tries, problem FROM alert_deliveries
    WHERE alert = ANY(${numbers}::bigint[]) ORDER BY alert, channel`.execute(db);
  const byAlert = Map.groupBy(deliveries, ({ alert }) => alert);
  const items = some.map((row) => ({
    ...alertOf(row),
    deliveries: (byAlert.get(row.number) ?? []).map(({ channel, state, tries, problem }) => ({
      channel,
      state,
      tries,
      problem,
    })),
  }));
  return { items, next: rows.length > limit ? some.at(-1)!.number : null };
}
