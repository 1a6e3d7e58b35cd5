import { sql } from "kysely";
import {
  type AlertChannel,
  type Alerts,
  createAlerts,
  type Due,
  emailChannel,
  type Level,
  refusedDue,
  webhookChannel,
} from "../alerts/index.ts";
import { parseAmount } from "../base/index.ts";
import { type BooksContext, organisationNames, walletsNow } from "../books/index.ts";
import type { Budgets } from "../ledger/index.ts";
import { type Store, walletStanding } from "../store/index.ts";
import type { RequestMeters } from "../telemetry/index.ts";
import type { Stops } from "./database.ts";
import type { BootOptions } from "./options.ts";
import { secretsOf } from "./secrets.ts";
import type { FollowedWallets } from "./wallets.ts";
import { unratedOf } from "./unrated.ts";
import { messageOf } from "./words.ts";

interface Parts {
  readonly store: Store;
  readonly budgets: Budgets;
  readonly wallets: FollowedWallets;
  readonly ledger: BooksContext;
  readonly meters: RequestMeters;
  readonly installation: string;
}

/** An exact product has 18 decimals, an amount 12. */
const exactPerUnit = 10n ** 6n;

/** Tells operators when money runs out, and what is not billed. */
export async function openAlerts(options: BootOptions, parts: Parts, stops: Stops): Promise<Alerts> {
  const { settings, clock, log } = options;
  const alerts = await createAlerts({
    db: parts.store.db,
    clock,
    thresholds: settings.billing.alerts.thresholds,
    channels: channelsOf(options, parts.installation),
    levels: async () => [...(await budgetLevels(parts, clock.nowMs())), ...(await walletLevels(parts, clock.nowMs()))],
    others: async () => [...(await unratedOf(parts.ledger)), ...(await refusedOf(parts, clock.nowMs()))],
    onAlert: ({ number, kind, scope, threshold, message }) => {
      parts.meters.alerted(kind);
      log.warn({ alert: number, kind, scope, threshold }, message);
    },
    onFailure: (error, what) => log.warn({ reason: messageOf(error) }, what),
  });
  stops.push(() => alerts.close());
  return alerts;
}

function channelsOf(options: BootOptions, installation: string): readonly AlertChannel[] {
  const { webhook, email } = options.settings.billing.alerts;
  const { clock } = options;
  const { webhookKey, mailPassword } = secretsOf(options);
  const channels: AlertChannel[] = [];
  if (webhook !== undefined) {
    const { url, allowPrivate } = webhook;
    const key = webhookKey!;
    channels.push(webhookChannel({ url, key, allowPrivate, source: `/installations/${installation}`, clock }));
  }
  if (email !== undefined) {
    const { host, port, security, user, from, to } = email;
    channels.push(emailChannel({ host, port, security, user, password: mailPassword, from, to }));
  }
  return channels;
}

async function budgetLevels({ store, budgets, ledger }: Parts, nowMs: number): Promise<readonly Level[]> {
  const { rows } = await sql<{ level: Level["level"]; id: string; name: string; budget: string }>`
    SELECT 'organisation' AS level, id, name, monthly_budget::text AS budget FROM organisations WHERE monthly_budget IS NOT NULL
    UNION ALL SELECT 'project', id, name, monthly_budget::text FROM projects WHERE monthly_budget IS NOT NULL
    UNION ALL SELECT 'key', id, name, monthly_budget::text FROM keys WHERE monthly_budget IS NOT NULL AND revoked_at IS NULL`.execute(
    store.db,
  );
  const occasion = new Date(nowMs).toISOString().slice(0, 7);
  const { currency } = ledger.prices;
  return rows.map(({ level, id, name, budget }) => {
    const limit = (parseAmount(budget) ?? 0n) * exactPerUnit;
    return { kind: "budget", level, id, name, occasion, used: budgets.spent(id), limit, currency };
  });
}

/** Of the grants that hold: what was used of them, whether it is billed or not. */
async function walletLevels({ store, ledger }: Parts, nowMs: number): Promise<readonly Level[]> {
  const standing = await walletStanding(store.db, { isOpen: true });
  const held = walletsNow(standing, ledger.prices.book, nowMs).filter(({ credits }) => credits > 0n);
  if (held.length === 0) return [];
  const organisations = held.map(({ organisation }) => organisation);
  const names = await organisationNames(store.db, organisations);
  return held.map(({ organisation, currency, credits, available, grants }) => ({
    kind: "wallet",
    level: "organisation",
    id: organisation,
    name: names.get(organisation) ?? organisation,
    occasion: `${currency} ${grants.at(-1)!.id}`,
    used: (credits - available) * exactPerUnit,
    limit: credits * exactPerUnit,
    currency,
  }));
}

/** What limits have refused here since this looked last. */
async function refusedOf({ store, budgets, wallets, ledger }: Parts, nowMs: number): Promise<readonly Due[]> {
  const { currency } = ledger.prices;
  const month = new Date(nowMs).toISOString().slice(0, 7);
  const byBudget = budgets.takeRefused();
  const byWallet = wallets.wallets.takeRefused();
  const ids = [...byBudget, ...byWallet].map(({ id }) => id);
  if (ids.length === 0) return [];
  const names = await namesOf(store, ids);
  const standing = walletsNow(await walletStanding(store.db, { isOpen: true }), ledger.prices.book, nowMs);
  const grants = new Map(standing.map(({ organisation, grants: held }) => [organisation as string, held.at(-1)?.id]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  return [
    ...byBudget.map(({ level, ...refused }) =>
      refusedDue({
        ...refused,
        by: "budget",
        level: level as Level["level"],
        name: nameOf(refused.id),
        occasion: month,
        currency,
      }),
    ),
    ...byWallet.map((refused) =>
      refusedDue({
        ...refused,
        by: "wallet",
        level: "organisation",
        name: nameOf(refused.id),
        occasion: grants.get(refused.id) ?? month,
        currency,
      }),
    ),
  ];
}

/** Of organisations, projects and keys. */
async function namesOf({ db }: Store, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { rows } = await sql<{ id: string; name: string }>`
    SELECT id, name FROM organisations WHERE id = ANY(${ids}::text[])
    UNION ALL SELECT id, name FROM projects WHERE id = ANY(${ids}::text[])
    UNION ALL SELECT id, name FROM keys WHERE id = ANY(${ids}::text[])`.execute(db);
  return new Map(rows.map(({ id, name }) => [id, name]));
}
