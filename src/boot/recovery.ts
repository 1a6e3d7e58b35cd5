import { parseIntent, settle, type Cloud, type Counts } from "../stages/index.ts";
import type { Log } from "../telemetry/index.ts";

/**
 * Settles what an earlier process left open: by what the host wrote down, else as unrated with its upper bound. What
 * was sent is not known, so these receipts hold no digest of the response.
 */
export async function settleOpenIntents(cloud: Cloud, log: Log): Promise<void> {
  const open = cloud.journal.openIntents();
  if (open.length === 0) return;
  for (const { intent, body } of open) {
    const intended = parseIntent(body);
    const counts = await countsOf(cloud, intent.request, intended.destination.name);
    const { written, body: settlement } = settle(intent, intended, cloud, {
      counts,
      endedAtMs: cloud.clock.nowMs(),
      response: null,
    });
    await written.durable;
    cloud.books.settled(settlement.receipt, settlement.project, written.position);
    cloud.destinations
      .offering(intended.model)
      .find(({ name }) => name === intended.destination.name)
      ?.acknowledge(intent.request);
  }
  log.info({ requests: open.length }, "settled what an earlier run left open");
}

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
