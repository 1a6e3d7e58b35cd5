import type { ServiceLevel } from "../engine/index.ts";

// There is one level for each tier as long as the cloud runs, so each is put into words once and not for every request.
const known = new WeakMap<ServiceLevel, readonly string[]>();

/**
 * What was promised, in the host's words, name and value in turn: `bailiwick-objective: 10000/100` (milliseconds to the
 * first token, and from token to token), `bailiwick-service-tier: default` (what an answer calls that, where its request
 * asked for a tier) and, where it may be set aside for others, `bailiwick-preemptible: yes`.
 */
export function promiseHeaders(level: ServiceLevel): readonly string[] {
  let headers = known.get(level);
  if (headers === undefined) known.set(level, (headers = headersOf(level)));
  return headers;
}

function headersOf({ ttftMs, tpotMs, isPreemptible, serviceTier }: ServiceLevel): readonly string[] {
  const promised = ["bailiwick-objective", `${ttftMs}/${tpotMs}`, "bailiwick-service-tier", serviceTier];
  return isPreemptible ? [...promised, "bailiwick-preemptible", "yes"] : promised;
}
