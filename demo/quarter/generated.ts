/** Usage that other services tell: the same for the same quarter, whenever and wherever it is generated. */
import type { Quarter } from "./calendar.ts";
import { contracts, customers, internal, prepaid } from "./customers.ts";

export interface UsageRecord {
  readonly id: string;
  readonly source: string;
  readonly customer: string;
  readonly time: string;
  readonly sku: string;
  readonly quantity: number;
  readonly batch?: boolean;
}

export interface Generated {
  /** Of the same quarter a year before. */
  readonly yearBefore: readonly UsageRecord[];
  /** Told within the quarter. */
  readonly timely: readonly UsageRecord[];
  /** Of its first month, told when that is closed. */
  readonly late: readonly UsageRecord[];
  /** Of today, which is in no bill yet. */
  readonly open: readonly UsageRecord[];
}

const seed = 20_260_701;
/** How many records a customer has. */
const each = 24;

/** Of mulberry32: enough for figures that look like a customer's. */
function chance(state: number): () => number {
  let now = state;
  return () => {
    now = (now + 0x6d2b79f5) | 0;
    let mixed = Math.imul(now ^ (now >>> 15), 1 | now);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function generate({ startMs, endMs, months, yearBefore }: Quarter, todayMs: number): Generated {
  const random = chance(seed);
  const whole = (most: number): number => 1 + Math.floor(random() * most);
  // Two days are left for what is served, so that nothing of it is still to come by the cloud's clock.
  const spanMs = endMs - startMs - 2 * 86_400_000;
  const names = [...customers.map(({ name }) => name), internal];
  const timely = names.flatMap((customer) =>
    Array.from({ length: each }, (_none, at): UsageRecord => {
      const time = new Date(startMs + Math.floor(random() * spanMs)).toISOString();
      const base = { id: `${customer}/${at}`, source: "/demo/pipeline", customer, time };
      const kind = random();
      if (kind < 0.45) {
        const batch = random() < 0.3 ? { batch: true } : {};
        return { ...base, sku: "large/input-tokens", quantity: whole(40_000_000), ...batch };
      }
      if (kind < 0.6) return { ...base, sku: "large/cached-read-tokens", quantity: whole(25_000_000) };
      if (kind < 0.9) return { ...base, sku: "large/output-tokens", quantity: whole(12_000_000) };
      if (kind < 0.94) return { ...base, sku: "h800/accelerator-seconds", quantity: whole(86_400) };
      if (kind < 0.97) return { ...base, sku: "console/seats", quantity: whole(10) };
      // Nobody has given it a price.
      return { ...base, sku: "preview/output-tokens", quantity: whole(2_000_000) };
    }),
  );
  const some = (count: number, source: string, time: () => string): readonly UsageRecord[] =>
    Array.from({ length: count }, (_none, at) => ({
      id: String(at),
      source,
      customer: names[at * 3]!,
      time: time(),
      sku: "large/input-tokens",
      quantity: whole(9_000_000),
    }));
  return {
    yearBefore: yearBefore.flatMap((month) => ofYearBefore(month, whole)),
    timely: [...timely, ...months.map(reserved), drawn(months[2])],
    late: some(6, "/demo/late", () => `${months[0]}-${String(whole(28)).padStart(2, "0")}T12:00:00Z`),
    open: some(5, "/demo/today", () => new Date(todayMs).toISOString()),
  };
}

/** What a few customers and the own group used in a month, in one record for each SKU. */
function ofYearBefore(month: string, whole: (most: number) => number): readonly UsageRecord[] {
  const names = [...customers.slice(0, 6).map(({ name }) => name), internal];
  const most = {
    "large/input-tokens": 900_000_000,
    "large/output-tokens": 300_000_000,
    "h800/accelerator-seconds": 600_000,
    "console/seats": 12,
  };
  return names.flatMap((customer) =>
    Object.entries(most).map(([sku, quantity]) => {
      const part = customer === internal ? quantity / 12 : quantity;
      return {
        ...recordIn(month, "/demo/year-before", customer),
        sku,
        quantity: whole(part),
        id: `${customer}/${month}/${sku}`,
      };
    }),
  );
}

/** A device for a whole month, whether it computes or not. */
function reserved(month: string): UsageRecord {
  const days = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate();
  const record = recordIn(month, "/demo/reservations", contracts.reserved);
  return { ...record, sku: "h800-reserved/accelerator-seconds", quantity: days * 86_400 };
}

/** What takes a good part of the credits that were bought. */
function drawn(month: string): UsageRecord {
  return { ...recordIn(month, "/demo/prepaid", prepaid), sku: "large/output-tokens", quantity: 1_900_000_000 };
}

function recordIn(month: string, source: string, customer: string) {
  return { id: `${customer}/${month}`, source, customer, time: `${month}-15T12:00:00Z` };
}
