/** What a usage export says was asked: one request at a moment, or so many within a time. */
export interface UsageRow {
  /** Milliseconds since 1970. */
  readonly fromMs: number;
  /** The same as `fromMs` where it is one request. */
  readonly toMs: number;
  /** As the export names it. */
  readonly model: string;
  readonly tenant: string;
  readonly requests: number;
  /** Of all its requests together. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface UsageExport {
  readonly rows: readonly UsageRow[];
  /** What was left out, in words. */
  readonly notes: readonly string[];
}
