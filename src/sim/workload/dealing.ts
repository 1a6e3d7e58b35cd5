/** Models of a workload whose source names none: `model-01` and so on, whatever the number of models. */
export function modelNames(count: number): readonly string[] {
  return numbered("model", count);
}

export function tenantNames(count: number): readonly string[] {
  return numbered("tenant", count);
}

/** Whose turn the `index`-th is, from 0. */
export function inTurn(names: readonly string[], index: number): string {
  return names[index % names.length]!;
}

function numbered(what: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${what}-${String(index + 1).padStart(2, "0")}`);
}
