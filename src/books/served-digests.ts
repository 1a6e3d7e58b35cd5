import { hash } from "node:crypto";
import type { Transaction } from "kysely";
import { bodyOf, readTold, recordOf, type UsageRecord } from "../metering/index.ts";
import { type Database, meteredRequests } from "../store/index.ts";

/** Of what a record says, by which a repetition is known from a contradiction. */
export function digestOf(events: UsageRecord["events"]): string {
  return hash("sha256", bodyOf(events), "hex");
}

/** The digests of the records that an export writes of those of these requests that were served here, by `servedKey`. */
export async function servedDigests(
  transaction: Transaction<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const requests = await meteredRequests(transaction, { requests: ids, limit: ids.length });
  return new Map(
    requests.map((request): [string, string] => {
      const { source, id, organisation: customer, at } = request;
      const read = readTold(recordOf([{ ...request, at: at.toISOString() }]), (midnightMs) => midnightMs);
      const digest = "problem" in read ? "" : digestOf(read.events.map((event) => ({ ...event, customer })));
      return [servedKey(source, id), digest];
    }),
  );
}

export function servedKey(gateway: string, request: string): string {
  return `${gateway} ${request}`;
}
