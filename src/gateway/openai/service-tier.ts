import type { Tier } from "../../base/index.ts";

/** What OpenAI's parameter `service_tier` may say here. */
export const serviceTiers = ["auto", "default", "flex", "priority"] as const;

export type ServiceTier = (typeof serviceTiers)[number];

export function isServiceTier(value: unknown): value is ServiceTier {
  return serviceTiers.some((known) => known === value);
}

const namesInAnswers = { interactive: "priority", standard: "default", batch: "flex" } as const;

/** What an answer calls the tier that it had, where its request asked for one. */
export function servedTier(tier: Tier): ServiceTier {
  return namesInAnswers[tier];
}

/**
 * The tier of a request, by what it asks for and what its project has. A request can step down to batch and never above
 * its project: as with OpenAI, one that asks for `priority` where the project has none is served as the project is, and
 * is no error. So a project whose tier is batch has nothing else.
 */
export function tierOf(asked: ServiceTier | undefined, project: Tier): Tier {
  return asked === "flex" ? "batch" : project;
}
