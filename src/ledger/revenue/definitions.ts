/** What a figure of revenue is: it is disclosed with its id and version, and a change of its words is a new version. */
export interface Definition {
  readonly id: string;
  readonly version: number;
  readonly text: string;
  /** Of a share: what it is a share of. */
  readonly denominator?: string;
}

const external = "revenue from customers outside the operator's group, without tax, in the quarter";
const segment = "external revenue and intersegment revenue together";

export const definitions = {
  aiRevenue: {
    id: "ai-revenue",
    version: 3,
    text: `${external}, from products tagged AI; breakage of prepaid credits and what was committed to and not used (true-ups) count as other, because nothing was used for them of which it could be told that it is AI; what the close of a period adds or takes counts in the last month of it`,
  },
  externalRevenue: {
    id: "external-revenue",
    version: 3,
    text: `${external}, from all products, breakage of prepaid credits (IFRS 15.B46) and true-ups of commitments among them; what the close of a period adds or takes counts in the last month of it`,
  },
  segmentRevenue: {
    id: "segment-revenue",
    version: 2,
    text: `${segment}: what other segments of the group were charged counts too, breakage of what they had prepaid among it`,
  },
  aiShareOfExternal: {
    id: "ai-share-of-external",
    version: 2,
    text: "AI revenue as a share of external revenue, in which breakage of prepaid credits and true-ups of commitments are",
    denominator: "external-revenue",
  },
  aiShareOfSegment: {
    id: "ai-share-of-segment",
    version: 2,
    text: "external AI revenue as a share of segment revenue, in which breakage of prepaid credits and true-ups of commitments are, and all that other segments were charged",
    denominator: "segment-revenue",
  },
  externalGrowth: {
    id: "external-growth-on-year",
    version: 2,
    text: "external revenue over that of the same quarter a year before, less one; none before the quarter has ended",
  },
  segmentGrowth: {
    id: "segment-growth-on-year",
    version: 2,
    text: "segment revenue over that of the same quarter a year before, less one; none before the quarter has ended",
  },
  runRateByQuarter: { id: "ai-run-rate-quarter-x4", version: 1, text: "AI revenue of the quarter, times 4" },
  runRateByLastMonth: {
    id: "ai-run-rate-last-month-x12",
    version: 2,
    text: "AI revenue of the quarter's last month, times 12; none where the books are closed by quarter or by year, because what a close adds or takes then (true-ups, what prepaid credits pay for) is of its whole period and falls into the last month of it",
  },
  runRateByDays: {
    id: "ai-run-rate-days",
    version: 1,
    text: "AI revenue of the quarter, times 365, by the days of the quarter",
  },
} as const satisfies Readonly<Record<string, Definition>>;

export type FigureName = keyof typeof definitions;
