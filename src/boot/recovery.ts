import { type Exact, parseExact } from "../base/index.ts";
import { bound as mostCost, type Reservation } from "../ledger/index.ts";
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

/**
 * Settles what an earlier process left open: by what the host wrote down, else as unrated with its upper bound. What
 * was sent is not known, so these receipts hold no digest of the response.
 */
export async function settleOpenIntents(cloud: Cloud, log: Log): Promise<void> {
  const open = cloud.journal.openIntents().map(({ intent, body }) => {
    const intended = parseIntent(body);
    return { intent, intended, reservation: reserveAgain(intended, cloud) };
  });
  if (open.length === 0) return;
  for (const { intent, intended, reservation } of open) {
    const counts = await countsOf(cloud, intent.request, intended.destination.name);
    const { written, body: settlement } = settle(intent, intended, cloud, {
      counts,
      endedAtMs: cloud.clock.nowMs(),
      response: null,
    });
    reservation.settle(costSettled(settlement));
    await written.durable;
    cloud.books.settled(settlement.receipt, settlement.project, written.position);
    cloud.destinations
      .offering(intended.model)
      .find(({ name }) => name === intended.destination.name)
      ?.acknowledge(intent.request);
  }
  log.info({ requests: open.length }, "settled what an earlier run left open");
}

/** What a request was admitted for stays set aside until it is settled, also over the end of the process that took it. */
function reserveAgain({ organisation, project, key, price, bound }: IntentBody, { budgets }: Cloud): Reservation {
  const scopes = [key, project, organisation].map((id) => ({ id, level: "", monthlyBudget: undefined }));
  const reservation = budgets.reserve(scopes, price === null ? noCost : mostCost(bound, priceIn(price)));
  if (reservation.outcome === "refused") throw new Error("a scope without a budget refuses nothing");
  return reservation;
}

function costSettled({ listAmount, amountBound }: SettlementBody): Exact {
  const amount = listAmount ?? amountBound;
  return amount === null ? noCost : parseExact(amount);
}

const noCost = 0n as Exact;

async function countsOf(cloud: Cloud, request: `req_${string}`, destination: string): Promise<Counts> {
  const host = cloud.destinations.all.find(({ name }) => name === destination);
  const counted = await host?.counts(request, cloud.countsTimeoutMs);
  if (counted !== undefined) return { outcome: "counted", usage: counted.usage, ending: "error" };
  return {
    outcome: "unrated",
    reason: "the gateway ended during the request, and no record proves its usage",
    ending: "error",
  };
}
