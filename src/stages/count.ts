import { type Ending, type Usage, zeroUsage } from "../base/index.ts";
import type { Cloud } from "./cloud.ts";
import type { Placed } from "./place.ts";
import type { Ran } from "./running.ts";

/** Tokens by kind, or why they cannot be known: then the request is `unrated`, never free. */
export type Counts =
  | { readonly outcome: "counted"; readonly usage: Usage; readonly ending: Ending }
  | { readonly outcome: "unrated"; readonly reason: string; readonly ending: Ending };

/**
 * What the request used: as the answer itself said at its end, else as the host counted it (also after a crash, from
 * what it had written down), else unknown.
 */
export async function count(placed: Placed, ran: Ran, cloud: Cloud): Promise<Counts> {
  const { ending } = ran;
  const { destination, admitted } = placed;
  if (ran.usage !== undefined) {
    if (isPossible(ran.usage, placed)) return { outcome: "counted", usage: ran.usage, ending };
    return { outcome: "unrated", reason: "the upstream's usage is more than its context holds", ending };
  }
  const counted = await destination.counts(admitted.call.id, cloud.countsTimeoutMs);
  if (counted === "unreadable" || (counted !== undefined && !isPossible(counted.usage, placed))) {
    return { outcome: "unrated", reason: "what the host says that it counted cannot be", ending };
  }
  if (counted !== undefined) return { outcome: "counted", usage: counted.usage, ending };
  // A host writes down a request before it computes for it: what it does not know cost nothing.
  if (destination.kind === "host" && destination.ready) return { outcome: "counted", usage: zeroUsage, ending };
  const reason =
    destination.kind === "upstream"
      ? `the upstream's answer ended as ${ending} and held no usage`
      : "the host did not come back in time to say";
  return { outcome: "unrated", reason, ending };
}

/** Whether an answer can have used as much as it says: prompt and answer lie in the model's context, each of them. */
function isPossible({ inputTokens, outputTokens }: Usage, { admitted, offer }: Placed): boolean {
  const { endpoint, body } = admitted.call;
  // The newer endpoints may run several turns in one request.
  if (!endpoint.usageOnRequest || offer.contextTokens === undefined) return true;
  return inputTokens + outputTokens <= offer.contextTokens * body.fields.answers;
}
