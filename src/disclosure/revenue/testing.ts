import { fraction } from "../../ledger/index.ts";
import type { RevenueLine, RevenueState } from "./state.ts";
import { testNowMs } from "../testing.ts";

export const customers = {
  bank: { id: "org_bank", name: "bank" },
  clinic: { id: "org_clinic", name: "clinic" },
  retail: { id: "org_retail", name: "the group's own retail" },
} as const;

export function line(month: string, amount: string, more: Partial<RevenueLine> = {}): RevenueLine {
  return {
    account: "revenue/ai-inference",
    product: "ai-inference",
    tag: "ai",
    segment: "external",
    customer: customers.bank,
    month,
    amount,
    postings: 1,
    ...more,
  };
}

const other = { account: "revenue/storage", product: "storage", tag: "other", customer: customers.clinic } as const;
const own = {
  account: "intersegment/ai-inference",
  segment: "intersegment",
  customer: customers.retail,
} as const;

/** The shape of what Alibaba Cloud disclosed for the March quarter of 2026, in millions of RMB. */
export function marchQuarter(more: Partial<RevenueState> = {}): RevenueState {
  return {
    atMs: testNowMs,
    release: "0.1.0",
    installation: "inst_1",
    quarter: "2026Q1",
    period: { from: "2026-01-01T00:00:00.000Z", to: "2026-04-01T00:00:00.000Z" },
    timeZone: "UTC",
    bookPeriod: "month",
    days: 90,
    months: [
      { month: "2026-01", status: "closed" },
      { month: "2026-02", status: "closed" },
      { month: "2026-03", status: "closed" },
    ],
    currency: "CNY",
    lines: [
      line("2026-01", "2700"),
      line("2026-02", "2900"),
      line("2026-03", "3371"),
      line("2026-02", "20932", other),
      line("2026-03", "11697", own),
    ],
    yearBefore: [line("2025-01", "21359", other), line("2025-03", "8768", own)],
    balances: { contractLiabilities: "6000", unbilledReceivables: "0", receivables: "2027.49" },
    remainingObligations: fraction(2401n, 2n),
    accelerators: [
      { device: "H20", busySeconds: 5_400_000, upSeconds: 7_200_000 },
      { device: "910B", busySeconds: 0, upSeconds: 3_600_000 },
    ],
    servedRevenue: "7500",
    tokens: { input: "7000000000", cachedInput: "1000000000", output: "2000000000" },
    costPerHour: { H20: "2.5", "910B": "1" },
    ...more,
  };
}
