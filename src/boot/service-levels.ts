import type { Tier } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import type { ServiceLevel } from "../engine/index.ts";
import { servedTier } from "../gateway/index.ts";

/** What each tier's requests are promised, and what their answers call it. Batch may be set aside for others: that is what makes it cheap. */
export function serviceLevels({
  interactive,
  standard,
  batch,
}: Settings["tiers"]): Readonly<Record<Tier, ServiceLevel>> {
  return {
    interactive: { ...interactive, isPreemptible: false, serviceTier: servedTier("interactive") },
    standard: { ...standard, isPreemptible: false, serviceTier: servedTier("standard") },
    batch: { ...batch, isPreemptible: true, serviceTier: servedTier("batch") },
  };
}
