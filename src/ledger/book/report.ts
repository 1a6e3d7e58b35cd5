/** Notes what is wrong with the value at a path. */
export type Report = (path: readonly PropertyKey[], message: string) => void;

/** Notes each name that is there again, at its place in the list. */
export function reportRepeated(
  names: readonly string[],
  path: readonly PropertyKey[],
  key: string,
  report: Report,
): void {
  const seen = new Set<string>();
  names.forEach((name, index) => {
    if (seen.has(name)) report([...path, index, key], `"${name.trim()}" is there a second time`);
    seen.add(name);
  });
}
