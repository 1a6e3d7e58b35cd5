import type { Days } from "./invoice.ts";

/** The days of a period by its name: "2026-02", "2026-Q1", "2026", as the ledger's calendar calls them. */
export function daysOf(name: string): Days {
  const [, year = "", quarter, month] = /^(\d{4})(?:-Q([1-4])|-(0[1-9]|1[0-2]))?$/.exec(name) ?? [];
  if (year === "") throw new RangeError(`"${name}" names no period`);
  const first = month !== undefined ? Number(month) - 1 : quarter !== undefined ? (Number(quarter) - 1) * 3 : 0;
  const months = month !== undefined ? 1 : quarter !== undefined ? 3 : 12;
  const day = (monthIndex: number, dayOfMonth: number): string =>
    new Date(Date.UTC(Number(year), monthIndex, dayOfMonth)).toISOString().slice(0, 10);
  // The day before the first of the month behind it.
  return { name, startDate: day(first, 1), endDate: day(first + months, 0) };
}

/** Whether a text is a day that exists: "2026-02-30" is none. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const atMs = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(atMs) && new Date(atMs).toISOString().startsWith(text);
}

export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
