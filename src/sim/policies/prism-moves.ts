import type { PoolModel } from "../../pool/index.ts";
import type { Residence, Station } from "./board.ts";

/** A device as a round of Prism's released code sees it. */
export interface Load {
  readonly station: Station;
  readonly freeBytes: number;
  readonly residences: readonly Residence[];
}

export interface Move {
  readonly residence: Residence;
  readonly to: Station;
}

interface Balance {
  /** Memory beside the weights, for each request in flight. */
  readonly bytesPerRequest: number;
  readonly requests: number;
}

/**
 * The one move, if any, after which fewer pairs of devices are out of balance (policy/simple_global.py,
 * `_find_optimal_migrations_by_memory`): from the device with least memory for each request, but not its only model;
 * to the one with most; of its models the one with fewest requests, but some.
 */
export function fewerUnstablePairs(
  loads: readonly Load[],
  requestsOf: (model: PoolModel) => number,
  ratioMax: number,
): Move | undefined {
  const now = loads.map((load) => balanceOf(load.station, load.residences, requestsOf));
  const unstable = unstablePairs(now, ratioMax);
  if (unstable === 0) return undefined;
  const order = loads.map((_, index) => index).sort((a, b) => now[a]!.bytesPerRequest - now[b]!.bytesPerRequest);
  for (const [at, low] of order.entries()) {
    const from = loads[low]!;
    if (from.residences.length === 1) continue;
    for (const high of order.slice(at + 1).toReversed()) {
      const to = loads[high]!;
      if (now[high]!.bytesPerRequest <= ratioMax * now[low]!.bytesPerRequest) continue;
      for (const residence of [...from.residences].sort((a, b) => requestsOf(a.model) - requestsOf(b.model))) {
        if (requestsOf(residence.model) === 0 || to.freeBytes < residence.model.weightsBytes) continue;
        const after = [...now];
        const left = from.residences.filter((other) => other !== residence);
        after[low] = balanceOf(from.station, left, requestsOf);
        after[high] = balanceOf(to.station, [...to.residences, residence], requestsOf);
        if (unstablePairs(after, ratioMax) < unstable) return { residence, to: to.station };
      }
    }
  }
  return undefined;
}

function balanceOf(
  station: Station,
  residences: readonly Residence[],
  requestsOf: (model: PoolModel) => number,
): Balance {
  let bytes = station.capacityBytes;
  let requests = 0;
  for (const { model } of residences) {
    bytes -= model.weightsBytes;
    requests += requestsOf(model);
  }
  return { bytesPerRequest: bytes / (requests === 0 ? 1 : requests), requests };
}

/** A device without requests is out of balance with every other, as in the code (`_count_unstable_pairs`). */
function unstablePairs(balances: readonly Balance[], ratioMax: number): number {
  let pairs = 0;
  for (const [index, a] of balances.entries()) {
    for (const b of balances.slice(index + 1)) {
      const isEmpty = a.requests === 0 || b.requests === 0;
      const [less, more] = [a.bytesPerRequest, b.bytesPerRequest].sort((x, y) => x - y) as [number, number];
      if (isEmpty || less <= 0 || more / less > ratioMax) pairs++;
    }
  }
  return pairs;
}
