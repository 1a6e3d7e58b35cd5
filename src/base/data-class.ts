/** What a project's data is, from the least to the most protected; its projects say which. */
export const dataClasses = ["public", "internal", "personal", "special-category", "restricted"] as const;

export type DataClass = (typeof dataClasses)[number];

export function isDataClass(text: string): text is DataClass {
  return (dataClasses as readonly string[]).includes(text);
}
