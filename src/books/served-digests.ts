import { createHash } from "node:crypto";
import type { Transaction } from "kysely";
import { bodyOf, readTold, recordOf, type UsageRecord } from "../metering/index.ts";
import { type Database, meteredRequests } from "../store/index.ts";

/** Of what a record says, by which a repetition is known from a contradiction. */
export function digestOf(events: UsageRecord["events"]): string {
  return createHash("sha256").update(bodyOf(events)).digest("hex");
}

/** The digests of the records that an export writes of those of these requests that were served here, by `servedKey`. */
export async function servedDigests(
  transaction: Transaction<Database>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const requests = await meteredRequests(transaction, { requests: ids, limit: ids.length });
  return new Map(
    requests.map((request): [string, string] => {
      const read = readTold(recordOf([{ ...request, at: request.at.toISOString() }]), (midnightMs) => midnightMs);
      return [servedKey(request.source, request.id), "problem" in read ? "" : digestOf(read.events)];
    }),
  );
}

export function servedKey(gateway: string, request: string): string {
  return `${gateway} ${request}`;
}
