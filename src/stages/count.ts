import { type Ending, type Usage, zeroUsage } from "../base/index.ts";
import type { Cloud } from "./cloud.ts";
import type { Placed } from "./place.ts";
import type { Ran } from "./run.ts";

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
  if (ran.usage !== undefined) return { outcome: "counted", usage: ran.usage, ending };
  const { destination, admitted } = placed;
  const counted = await destination.counts(admitted.call.id, cloud.countsTimeoutMs);
  if (counted !== undefined) return { outcome: "counted", usage: counted.usage, ending };
  // A host writes down a request before it computes for it: what it does not know cost nothing.
  if (destination.kind === "host" && destination.ready) return { outcome: "counted", usage: zeroUsage, ending };
  const reason =
    destination.kind === "upstream"
      ? `the upstream's answer ended as ${ending} and held no usage`
      : "the host did not come back in time to say";
  return { outcome: "unrated", reason, ending };
}
