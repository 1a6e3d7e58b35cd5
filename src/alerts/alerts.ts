import type { Kysely } from "kysely";
import type { Clock } from "../base/index.ts";
import { type Database, Following, type List, type Page } from "../store/index.ts";
import { type Alert, crossed, type Due, type Level } from "./due.ts";
import { alertPage, type ChannelName, dueDeliveries, type KeptAlert, keep, noteTry } from "./keeping.ts";

/** A way to somebody. */
export interface AlertChannel {
  readonly name: ChannelName;
  /** Resolves once it was taken there; rejects where it was not. The same alert may come again. */
  send(alert: Alert): Promise<void>;
}

interface AlertOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** Percent. */
  readonly thresholds: readonly number[];
  readonly channels: readonly AlertChannel[];
  /** How much of everything is used now. */
  readonly levels: () => Promise<readonly Level[]>;
  /** What else is due. */
  readonly others: () => Promise<readonly Due[]>;
  readonly onAlert: (alert: Alert) => void;
  readonly onFailure: (error: unknown, what: string) => void;
}

export interface Alerts {
  list(page: Page): Promise<List<KeptAlert>>;
  /** Looks and delivers once, now. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

const everyMs = 2_000;
const atOnce = 20;
/** About two days, with the waits between them. */
const triesMost = 20;
const firstWaitMs = 5_000;
const longestWaitMs = 4 * 3_600_000;

/** Looks every other second whether something is due, and delivers what waits. */
export async function createAlerts(options: AlertOptions): Promise<Alerts> {
  const { db, clock } = options;
  const following = (read: () => Promise<void>, what: string) =>
    new Following({ clock, everyMs, read, onFailure: (error) => options.onFailure(error, what) });
  const looking = following(() => look(options), "alerts wait for the database");
  const delivering = following(() => deliver(options), "alerts' deliveries wait for the database");
  await looking.start();
  await delivering.start();
  return {
    list: (page) => alertPage(db, page),
    refresh: async () => {
      await looking.refresh();
      await delivering.refresh();
    },
    close: async () => {
      looking.stop();
      delivering.stop();
      await Promise.all([looking.settled(), delivering.settled()]);
    },
  };
}

async function look(options: AlertOptions): Promise<void> {
  const { db, clock, thresholds, channels } = options;
  const due = [...crossed(await options.levels(), thresholds), ...(await options.others())];
  const names = channels.map(({ name }) => name);
  for (const alert of await keep(db, due, names, clock.nowMs())) options.onAlert(alert);
}

async function deliver({ db, clock, channels }: AlertOptions): Promise<void> {
  const byName = new Map(channels.map((channel) => [channel.name, channel]));
  for (const due of await dueDeliveries(db, clock.nowMs(), atOnce)) {
    const channel = byName.get(due.channel);
    // A channel that the settings no longer have takes nothing any more.
    const problem = channel === undefined ? "it is no longer in the settings" : await problemOf(channel, due.alert);
    const tries = channel === undefined ? triesMost : due.tries + 1;
    const nextMs = clock.nowMs() + Math.min(firstWaitMs * 2 ** due.tries, longestWaitMs);
    if (problem === undefined) await noteTry(db, due, {});
    else await noteTry(db, due, tries < triesMost ? { problem, nextMs } : { problem });
  }
}

async function problemOf(channel: AlertChannel, alert: Alert): Promise<string | undefined> {
  try {
    await channel.send(alert);
    return undefined;
  } catch (error) {
    // It is kept with the delivery, where the operator reads it.
    return error instanceof Error ? error.message : String(error);
  }
}
