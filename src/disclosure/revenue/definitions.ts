import type { Definition } from "../../ledger/index.ts";

/** Figures beside those of revenue alone (`ledger`): a change of their words is a new version. */
export const furtherDefinitions = {
  deferredRevenue: {
    id: "deferred-revenue",
    version: 1,
    text: "contract liabilities at the end of the quarter: what customers have paid in advance and was not served yet",
  },
  unbilledRevenue: {
    id: "unbilled-receivables",
    version: 1,
    text: "what was served by the end of the quarter and is on no invoice yet",
  },
  remainingObligations: {
    id: "remaining-obligations",
    version: 2,
    text: "deferred revenue, and what contracts commit customers to behind the end of the quarter, by the price book that was in force then (IFRS 15.120), or, where none was applied by then, when the quarter was closed",
  },
  tokensServed: {
    id: "tokens-served",
    version: 2,
    text: "input, cached input and output tokens, embeddings and reasoning among them, by when they are billed, as their revenue is: what was used in the quarter, and what came in it too late for a period that was closed; what has no price yet counts once it is rated, or written off",
  },
  utilisation: {
    id: "accelerator-utilisation",
    version: 1,
    text: "time in which accelerators computed, as a share of the time for which they were up",
    denominator: "accelerator-hours",
  },
  acceleratorHours: {
    id: "accelerator-hours",
    version: 1,
    text: "hours for which this cloud's accelerators were up, each counted for itself",
  },
  revenuePerHour: {
    id: "ai-revenue-per-accelerator-hour",
    version: 3,
    text: "what the tokens come to that this cloud's own hosts served, by the prices of lists and contracts and before prepaid credits are taken into account, by the hours for which those hosts' accelerators were up; what other services told, what upstreams served, what was charged for reservations and what came after its period was closed is not in it",
    denominator: "accelerator-hours",
  },
  grossCost: {
    id: "gross-cost",
    version: 1,
    text: "hours for which accelerators were up, each kind at the cost rate that the operator has set for it",
  },
} as const satisfies Readonly<Record<string, Definition>>;
