/** Something to be done on one machine, one after the other. */
export interface Task {
  readonly dueMs: number;
  readonly takesMs: number;
}

/**
 * The order in which fewest tasks are late (Moore 1968, with Hodgson's simplification): by due time, and whenever the
 * last one would be late, the longest so far is put off. Those put off come last, by due time.
 */
export function orderByMooreHodgson<T extends Task>(tasks: readonly T[], nowMs: number): T[] {
  const byDue = [...tasks].sort((a, b) => a.dueMs - b.dueMs);
  const putOff = new Set<T>();
  const kept = new Set<T>();
  let endMs = nowMs;
  for (const task of byDue) {
    kept.add(task);
    endMs += task.takesMs;
    if (endMs <= task.dueMs) continue;
    const longest = longestOf(kept);
    kept.delete(longest);
    putOff.add(longest);
    endMs -= longest.takesMs;
  }
  return [...kept, ...putOff].sort((a, b) => Number(putOff.has(a)) - Number(putOff.has(b)) || a.dueMs - b.dueMs);
}

function longestOf<T extends Task>(tasks: Iterable<T>): T {
  let longest: T | undefined;
  for (const task of tasks) if (longest === undefined || task.takesMs > longest.takesMs) longest = task;
  return longest!;
}
