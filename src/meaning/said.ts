/** A JSON object of which nobody knows what it has. */
export type Said = Readonly<Record<string, unknown>>;

export function objectOf(value: unknown): Said {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Said) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Without members that say nothing: null, undefined, "", an empty list, an empty object. */
export function spoken(members: Said): Said {
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(members)) if (!isSilent(members[name])) kept[name] = members[name];
  return kept;
}

function isSilent(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (typeof value !== "object") return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

/** Those of a list by the index that each names, else by its place; what comes again for an index replaces nothing. */
export function indexOf(value: Said, place: number): number {
  const { index } = value;
  return typeof index === "number" && Number.isSafeInteger(index) && index >= 0 ? index : place;
}
