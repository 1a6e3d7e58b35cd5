import type { Criterion } from "./criteria/criterion.ts";
import { strategicAndLegal } from "./criteria/strategic-and-legal.ts";
import { dataAndOperations } from "./criteria/data-and-operations.ts";
import { supplyAndTechnology } from "./criteria/supply-and-technology.ts";
import { securityAndEnvironment } from "./criteria/security-and-environment.ts";

/** The framework's objectives with their weights in per cent (version 1.2.1, section 5). */
export const objectives = [
  { id: "SOV-1", title: "Strategic sovereignty", weightPercent: 15 },
  { id: "SOV-2", title: "Legal and jurisdictional sovereignty", weightPercent: 10 },
  { id: "SOV-3", title: "Data and AI sovereignty", weightPercent: 10 },
  { id: "SOV-4", title: "Operational sovereignty", weightPercent: 15 },
  { id: "SOV-5", title: "Supply chain sovereignty", weightPercent: 20 },
  { id: "SOV-6", title: "Technology sovereignty", weightPercent: 15 },
  { id: "SOV-7", title: "Security and compliance sovereignty", weightPercent: 10 },
  { id: "SOV-8", title: "Environmental sustainability", weightPercent: 5 },
] as const;

export type ObjectiveId = (typeof objectives)[number]["id"];

/** Sovereignty Effectiveness Assurance Levels, in our words (version 1.2.1, section 3). */
export const sealLevels = [
  "none: under the exclusive control of others outside the EU, under their law",
  "jurisdictional: EU law applies on paper, control is exclusively outside the EU",
  "data: EU law applies and can be enforced, material dependencies outside the EU remain",
  "resilience: EU actors have a meaningful influence, control from outside is marginal",
  "full: under complete EU control and EU law alone, no critical dependency outside",
] as const;

export type SealLevel = 0 | 1 | 2 | 3 | 4;

export const framework = {
  name: "Cloud Sovereignty Framework",
  publisher: "European Commission, Directorate-General for Digital Services (DIGIT)",
  version: "1.2.1, October 2025",
  source: "https://commission.europa.eu/document/download/09579818-64a6-4dd5-9577-446ab6219113_en",
  criteriaFrom:
    "the Commission's sovereignty assessment calculator of 1 June 2026, an annex to its implementation guidance: " +
    "8, 6, 5, 6, 7, 5, 7 and 4 questions; in our words",
} as const;

/** All 48, in their order. */
export const criteria: readonly Criterion[] = [
  ...strategicAndLegal,
  ...dataAndOperations,
  ...supplyAndTechnology,
  ...securityAndEnvironment,
];

export function objectiveOf({ id }: Pick<Criterion, "id">): ObjectiveId {
  return id.split(".")[0] as ObjectiveId;
}

/** Where a criterion is from, for its row: "SOV-5.6" is the sixth question below SOV-5. */
export function sourceOf({ id }: Pick<Criterion, "id">): string {
  const [objective, number] = id.split(".");
  return `Cloud Sovereignty Framework 1.2.1, ${objective}; question ${number} of the calculator of 1 June 2026`;
}
