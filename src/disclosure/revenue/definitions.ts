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
    version: 1,
    text: "deferred revenue, and what contracts commit customers to beyond what was served",
  },
  tokensServed: {
    id: "tokens-served",
    version: 1,
    text: "input, cached input and output tokens that were metered in the quarter, rated or not, embeddings and reasoning among them",
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
    version: 2,
    text: "what the tokens come to that this cloud's own hosts served, by the prices of lists and contracts and before prepaid credits are taken into account, by the hours for which those hosts' accelerators were up; what other services told, what upstreams served and what was charged for reservations is not in it",
    denominator: "accelerator-hours",
  },
  grossCost: {
    id: "gross-cost",
    version: 1,
    text: "hours for which accelerators were up, each kind at the cost rate that the operator has set for it",
  },
} as const satisfies Readonly<Record<string, Definition>>;
