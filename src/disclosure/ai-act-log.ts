import { note } from "./about.ts";
import type { Period } from "./live-state.ts";

/** The name of the lines' format, which every file opens with. */
export const aiActLogFormat = "bailiwick-ai-act-log/1";

/** A request that was answered, as the log has it. */
export interface LoggedRequest {
  readonly line: "request";
  readonly request: string;
  readonly receipt: string | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly endpoint: string;
  readonly model: string;
  /** Lower-case hex of its weights; null: an upstream's, which is not known here. */
  readonly modelSha256: string | null;
  readonly adapterSha256: string | null;
  readonly engine: { readonly name: string; readonly build: string } | null;
  readonly site: string;
  readonly jurisdiction: string | null;
  readonly dataClass: string | null;
  readonly decision: { readonly outcome: "permitted"; readonly digest: string | null; readonly version: string | null };
  readonly ending: string;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
}

/** A request that policy, or something else, refused. */
export interface LoggedRefusal {
  readonly line: "refusal";
  readonly request: string | null;
  readonly at: string;
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly code: string;
  readonly message: string;
}

export type LogEntry = LoggedRequest | LoggedRefusal;

interface Opening {
  readonly project: { readonly id: string; readonly name: string; readonly organisation: { readonly name: string } };
  readonly period: Period;
  readonly at: string;
  readonly release: string;
  readonly installation: string;
  /** null: without an end. */
  readonly keptDays: number | null;
  /** Of the whole cloud's refusals the newest so many are kept. */
  readonly refusalsKept: number;
}

const monthsAtLeast = 6;
/** The longest six months in a row: July to December, or March to August. */
const daysAtLeast = 184;

/** The first line of a file. */
export function logOpening({ project, period, at, release, installation, keptDays, refusalsKept }: Opening) {
  return {
    line: "opening",
    format: aiActLogFormat,
    law: "Regulation (EU) 2024/1689 (AI Act), art. 12, 19 and 26(6): for a tenant whose own system is high-risk",
    at,
    release,
    installation,
    organisation: project.organisation.name,
    project: { id: project.id, name: project.name },
    from: period.from,
    to: period.to,
    retention: {
      keptDays,
      atLeastMonths: monthsAtLeast,
      isKept: keptDays === null || keptDays >= daysAtLeast,
      says: retentionText(keptDays),
    },
    refusals: `the newest ${refusalsKept} of the whole cloud are kept: older ones are not in this log`,
    content: "none: prompts and answers are not in this log",
    note,
  } as const;
}

function retentionText(keptDays: number | null): string {
  if (keptDays === null) return "Nothing here is set to erase these records: they are kept without an end.";
  if (keptDays >= daysAtLeast) return `They are kept for ${keptDays} days, which is six months or more.`;
  return `They are kept for ${keptDays} days, which is less than six months: keep this file yourself.`;
}

/** The last line: a file without it is not whole. */
export function logEnd(requests: number, refusals: number) {
  return { line: "end", requests, refusals } as const;
}
