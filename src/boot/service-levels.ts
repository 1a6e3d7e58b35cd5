import type { Tier } from "../base/index.ts";
import type { Settings } from "../config/index.ts";
import type { ServiceLevel } from "../engine/index.ts";

/** What each tier's requests are promised. Batch may be set aside for others: that is what makes it cheap. */
export function serviceLevels({
  interactive,
  standard,
  batch,
}: Settings["tiers"]): Readonly<Record<Tier, ServiceLevel>> {
  return {
    interactive: { ...interactive, isPreemptible: false },
    standard: { ...standard, isPreemptible: false },
    batch: { ...batch, isPreemptible: true },
  };
}
