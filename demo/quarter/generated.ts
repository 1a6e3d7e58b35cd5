/** Usage that other services tell: the same for the same quarter, whenever and wherever it is generated. */
import type { Quarter } from "./calendar.ts";
import { customers, internal } from "./customers.ts";

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

export function generate({ startMs, endMs, months }: Quarter, todayMs: number): Generated {
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
      if (kind < 0.97) return { ...base, sku: "h800/accelerator-seconds", quantity: whole(86_400) };
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
    timely,
    late: some(6, "/demo/late", () => `${months[0]}-${String(whole(28)).padStart(2, "0")}T12:00:00Z`),
    open: some(5, "/demo/today", () => new Date(todayMs).toISOString()),
  };
}
