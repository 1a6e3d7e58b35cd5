import { type Exact, parseExact, type RequestId } from "../base/index.ts";
import type { Destination } from "../engine/index.ts";
import type { Intent } from "../journal/index.ts";
import { bound as mostCost, type Reservation, type WalletReservation } from "../ledger/index.ts";
import {
  type Cloud,
  type Counts,
  type IntentBody,
  parseIntent,
  priceIn,
  settle,
  type SettlementBody,
} from "../stages/index.ts";
import type { Log } from "../telemetry/index.ts";

/** How long a host that had requests of an earlier run may take to come back and say what they used. */
const comesBackMs = 600_000;
const askMs = 1_000;

interface Open {
  readonly intent: Intent;
  readonly intended: IntentBody;
  readonly reservation: Reservation;
  readonly walletReservation: WalletReservation;
}

/**
 * Settles what an earlier process left open: by what the host wrote down, else as unrated with its upper bound. What
 * was sent is not known, so these receipts hold no digest of the response. A host that is away holds up no other's.
 */
export async function settleOpenIntents(cloud: Cloud, log: Log): Promise<void> {
  const open = cloud.journal.openIntents().map(({ intent, body }) => {
    const intended = parseIntent(body);
    return { intent, intended, ...reserveAgain(intended, cloud) };
  });
  if (open.length === 0) return;
  const endMs = cloud.clock.monotonicMs() + comesBackMs;
  const byHost = Map.groupBy(open, ({ intended }) => intended.destination.name);
  await Promise.all(
    [...byHost].map(async ([host, its]) => {
      const requests = await settleAll(its, host, endMs, cloud);
      if (requests > 0) log.info({ host, requests }, "settled what an earlier run left open");
    }),
  );
}

/** Resolves with how many it has settled: what a stop interrupts stays open for the next start. */
async function settleAll(open: readonly Open[], host: string, endMs: number, cloud: Cloud): Promise<number> {
  let settled = 0;
  for (const each of open) {
    const counts = await countsOf(cloud, each.intent.request, host, endMs);
    if (cloud.draining()) return settled;
    await settleOne(each, counts, cloud);
    settled++;
  }
  return settled;
}

async function settleOne(
  { intent, intended, reservation, walletReservation }: Open,
  counts: Counts,
  cloud: Cloud,
): Promise<void> {
  const endedAtMs = cloud.clock.nowMs();
  const { written, body: settlement } = settle(intent, intended, cloud, { counts, endedAtMs, response: null });
  const cost = costSettled(settlement);
  reservation.settle(cost);
  walletReservation.settle(cost, written.position);
  await written.durable;
  cloud.books.settled(settlement.receipt, settlement.project, written.position);
  destinationOf(intended.destination.name, cloud)?.acknowledge(intent.request);
}

function destinationOf(name: string, { destinations }: Cloud): Destination | undefined {
  return destinations.all.find((destination) => destination.name === name);
}

/** What a request was admitted for stays set aside until it is settled, also over the end of the process that took it. */
function reserveAgain(
  { organisation, project, key, price, bound }: IntentBody,
  { budgets, wallets }: Cloud,
): Pick<Open, "reservation" | "walletReservation"> {
  const scopes = [key, project, organisation].map((id) => ({ id, level: "", monthlyBudget: undefined }));
  const most = price === null ? noCost : mostCost(bound, priceIn(price));
  const reservation = budgets.reserve(scopes, most);
  if (reservation.outcome === "refused") throw new Error("a scope without a budget refuses nothing");
  return { reservation, walletReservation: wallets.hold(organisation, most) };
}

function costSettled({ listAmount, amountBound }: SettlementBody): Exact {
  const amount = listAmount ?? amountBound;
  return amount === null ? noCost : parseExact(amount);
}

const noCost = 0n as Exact;

async function countsOf(cloud: Cloud, request: RequestId, name: string, endMs: number): Promise<Counts> {
  // Asked again and again in short turns: a stop is not held up, and a host that was revoked meanwhile is gone.
  for (;;) {
    const host = destinationOf(name, cloud);
    const counted = await host?.counts(request, askMs);
    if (counted === "unreadable") break;
    if (counted !== undefined) return { outcome: "counted", usage: counted.usage, ending: "error" };
    const isAway = host?.kind === "host" && !host.ready;
    if (!isAway || cloud.draining() || cloud.clock.monotonicMs() >= endMs) break;
  }
  return {
    outcome: "unrated",
    reason: "the gateway ended during the request, and no record proves its usage",
    ending: "error",
  };
}
