import type { Fleet } from "../../src/pool/index.ts";

/**
 * What it costs to bring a model's weights to a device, as GB/s. KV moves at the link's rate in every case: what engines
 * are slow at is going to sleep and waking up, not copying.
 *
 * - `link`: 16 GB/s, which the published reference points assume. Prism's engines are faster (0.045 s/GB, 22 GB/s).
 * - `open`: vLLM with sleep at level 2, which frees the most memory for the least time in all: 0.3 s asleep and 6.5 s
 *   awake for a model of 8B, 16.06 GB in bf16, so 2.36 GB/s. Level 1 wakes in 2.2 s (0.047 s/GiB) but takes 10.6 s to
 *   sleep, 1.25 GB/s for both, and holds the weights in host memory.
 */
export const switchCosts = { link: 16, open: 2.36 } as const;

export type SwitchCost = keyof typeof switchCosts;

export const linkGBps = switchCosts.link;

/** The fleet with that time for every load. */
export function withSwitchCost(fleet: Fleet, cost: SwitchCost): Fleet {
  if (cost === "link") return fleet;
  return {
    ...fleet,
    speed: (model, device) => ({
      ...fleet.speed(model, device),
      loadMs: model.weightsBytes / (switchCosts[cost] * 1e6),
    }),
  };
}
