/** Deeper JSON than this nobody writes by hand or by a program: code that goes through it level by level would not return. */
export const nestingMax = 200;

/** Whether a value lies in more levels of lists and objects; it looks no deeper than that. */
export function isTooNested(value: unknown, levels = nestingMax): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return members.some((member) => isTooNested(member, levels - 1));
}
