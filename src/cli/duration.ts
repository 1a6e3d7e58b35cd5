import { InvalidArgumentError } from "commander";

const secondsOf: Readonly<Record<string, number>> = { m: 60, h: 3_600, d: 86_400 };

/** "45m", "12h" or "30d" in seconds. */
export function seconds(text: string): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const found = Number(count) * (secondsOf[unit ?? ""] ?? Number.NaN);
  if (found > 0) return found;
  throw new InvalidArgumentError("It must be a time such as 45m, 12h or 30d.");
}

/** Seconds as they are given. */
export function secondsText(count: number): string {
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
  ] as const) {
    if (count % size === 0) return `${count / size}${unit}`;
  }
  return `${count}s`;
}
