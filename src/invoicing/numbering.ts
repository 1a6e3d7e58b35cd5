import { type Refusal, refuse } from "../base/index.ts";
import type { Invoice } from "./document/invoice.ts";
import { isDay } from "./document/days.ts";

/** Invoices of one seller, kind and year are counted by themselves, from 1. */
export interface Series {
  readonly seller: string;
  readonly kind: Invoice["kind"];
  /** Of the day of issue. */
  readonly year: number;
  /** What numbers begin with: "INV". */
  readonly prefix: string;
}

/** What a table of counters has as its key: the row that the transaction of the next number locks. */
export function seriesKey({ seller, kind, year }: Series): string {
  return `${seller}/${kind}/${year}`;
}

/**
 * The number behind `last` ("INV-2026-000042"; 0: none yet). Numbers have no gaps only if one transaction locks the
 * series' row, reads `last` and the newest day of issue, takes this number, writes the invoice under it (unique by seller
 * and number) and the row: a sequence of PostgreSQL would leave a gap at each rollback.
 */
export function numberIn({ prefix, year }: Series, last: number): string {
  return `${prefix}-${year}-${String(last + 1).padStart(6, "0")}`;
}

/** Later numbers have no earlier days, and a day lies in the series' year. `newest`: the day of the number before. */
export function mayIssue({ year }: Series, issueDate: string, newest: string | undefined): Refusal | undefined {
  if (!isDay(issueDate) || !issueDate.startsWith(`${year}-`)) {
    return refuse("invalid_request", `${issueDate} does not lie in ${year}, whose numbers these are.`);
  }
  if (newest === undefined || newest <= issueDate) return undefined;
  return refuse("invalid_request", `${issueDate} lies before ${newest}, the day of the number before.`);
}

/** What an auditor asks of a series: numbers that are missing below the highest, are there twice, or are none of its own. */
export function faultsIn(series: Series, numbers: readonly string[]): readonly string[] {
  const faults: string[] = [];
  const counts: number[] = [];
  for (const number of numbers) {
    const count = countOf(series, number);
    if (count === undefined) faults.push(`${number} is none of the series`);
    else counts.push(count);
  }
  let last = 0;
  for (const count of counts.toSorted((a, b) => a - b)) {
    if (count === last) faults.push(`${numberIn(series, count - 1)} is there twice`);
    if (count > last + 1) faults.push(missingFrom(series, last + 1, count - 1));
    last = count;
  }
  return faults;
}

/** Which number it is in its series, from 1; undefined where it is none of it. */
function countOf(series: Series, number: string): number | undefined {
  const count = Number(/-(\d{1,15})$/.exec(number)?.[1] ?? 0);
  return count > 0 && numberIn(series, count - 1) === number ? count : undefined;
}

function missingFrom(series: Series, first: number, last: number): string {
  const from = numberIn(series, first - 1);
  return first === last ? `${from} is missing` : `${from} to ${numberIn(series, last - 1)} are missing`;
}
