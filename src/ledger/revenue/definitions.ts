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
  aiRevenue: { id: "ai-revenue", version: 1, text: `${external}, from products tagged AI` },
  externalRevenue: { id: "external-revenue", version: 1, text: `${external}, from all products` },
  segmentRevenue: {
    id: "segment-revenue",
    version: 1,
    text: `${segment}: what other segments of the group were charged counts too`,
  },
  aiShareOfExternal: {
    id: "ai-share-of-external",
    version: 1,
    text: "AI revenue as a share of external revenue",
    denominator: "external-revenue",
  },
  aiShareOfSegment: {
    id: "ai-share-of-segment",
    version: 1,
    text: "AI revenue as a share of segment revenue",
    denominator: "segment-revenue",
  },
  externalGrowth: {
    id: "external-growth-on-year",
    version: 1,
    text: "external revenue over that of the same quarter a year before, less one",
  },
  segmentGrowth: {
    id: "segment-growth-on-year",
    version: 1,
    text: "segment revenue over that of the same quarter a year before, less one",
  },
  runRateByQuarter: { id: "ai-run-rate-quarter-x4", version: 1, text: "AI revenue of the quarter, times 4" },
  runRateByLastMonth: {
    id: "ai-run-rate-last-month-x12",
    version: 1,
    text: "AI revenue of the quarter's last month, times 12",
  },
  runRateByDays: {
    id: "ai-run-rate-days",
    version: 1,
    text: "AI revenue of the quarter, times 365, by the days of the quarter",
  },
} as const satisfies Readonly<Record<string, Definition>>;

export type FigureName = keyof typeof definitions;
