import type { DestinationList } from "../destinations/index.ts";
import { contradictions } from "../policy/index.ts";
import { createInForce, createResidency, DocumentsUnusable, type InForce, type Residency } from "../residency/index.ts";
import type { Store } from "../store/index.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import type { BootOptions } from "./options.ts";
import { messageOf } from "./words.ts";

/** The policy that decisions are made by, and who keeps up with its changes. */
export async function openInForce(options: BootOptions, { db }: Store, stops: Stops): Promise<InForce> {
  const { settings, clock, log } = options;
  const opening = createInForce({
    db,
    clock,
    whenAway: settings.database.whenAway,
    onChange: ({ epoch }) => log.info({ epoch }, "another policy holds"),
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "the policy cannot be confirmed with the database"),
  });
  const inForce = await opening.catch((error: unknown) => {
    if (!(error instanceof DocumentsUnusable)) throw error;
    throw new Failed(error.message, "Start the release that wrote it, and apply a version that this one can use too.");
  });
  stops.push(() => inForce.close());
  return inForce;
}

/** Changing its documents. What settings and facts contradict each other in is told once, here. */
export function openResidency(
  options: BootOptions,
  { store, inForce }: { readonly store: Store; readonly inForce: InForce },
  destinations: DestinationList,
): Residency {
  const { clock, log } = options;
  const standing = inForce.policy.standing();
  for (const contradiction of new Set(destinations.all.flatMap((each) => contradictions(each, standing)))) {
    log.warn({ reason: contradiction }, "the settings and the facts contradict each other");
  }
  return createResidency({
    db: store.db,
    clock,
    inForce,
    candidates: () => destinations.all,
    onFailure: (error) => log.warn({ reason: messageOf(error) }, "a change will be seen at the next confirmation"),
  });
}
