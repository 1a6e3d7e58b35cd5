import { Calendar } from "../../ledger/index.ts";
import { daysOf } from "./days.ts";
import type { Days, Invoice, InvoiceLine, InvoicePeriod } from "./invoice.ts";

/**
 * When what a line is the price of was used: in the invoice's period, or in one before it whose invoice was issued by the time that
 * this came. null where nothing was used.
 */
export function linePeriods({
  period,
  timeZone = "UTC",
}: Pick<Invoice, "period" | "timeZone">): (line: Pick<InvoiceLine, "usage">) => InvoicePeriod | null {
  const known = new Map<string, InvoicePeriod | undefined>();
  return ({ usage }) => {
    if (period === null || usage === null || usage.period === period.name) return period;
    if (!known.has(usage.period)) known.set(usage.period, periodNamed(usage.period, timeZone));
    return known.get(usage.period) ?? period;
  };
}

/** The first day and the last one of all that an invoice is of, what was used in earlier periods with it. */
export function spanOf(invoice: Invoice): Pick<Days, "startDate" | "endDate"> | null {
  const { period, lines } = invoice;
  if (period === null) return null;
  const periodOf = linePeriods(invoice);
  let { startDate, endDate } = period;
  for (const line of lines) {
    const used = periodOf(line) ?? period;
    if (used.startDate < startDate) ({ startDate } = used);
    if (used.endDate > endDate) ({ endDate } = used);
  }
  return { startDate, endDate };
}

/** undefined where a document says a name that no calendar has. */
function periodNamed(name: string, timeZone: string): InvoicePeriod | undefined {
  for (const length of ["month", "quarter", "year"] as const) {
    const found = new Calendar(timeZone, length).periodOf(name);
    if (found === undefined) continue;
    const [startsAt, endsAt] = [found.startMs, found.endMs].map((atMs) => new Date(atMs).toISOString());
    return { ...daysOf(name), startsAt: startsAt!, endsAt: endsAt! };
  }
  return undefined;
}
