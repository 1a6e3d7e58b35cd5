/**
 * How many criteria each objective of the European Commission's Cloud Sovereignty Framework has, SOV-1 to SOV-8: what
 * the reports ask, and what attestations can answer (docs/reference/reports.md says where the list is from).
 */
const criteriaByObjective = [8, 6, 5, 6, 7, 5, 7, 4] as const;

/** "SOV-1.1" to "SOV-8.4". */
export const criterionIds: readonly string[] = criteriaByObjective.flatMap((count, objective) =>
  Array.from({ length: count }, (_, criterion) => `SOV-${objective + 1}.${criterion + 1}`),
);
