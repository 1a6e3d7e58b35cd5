/** Whether the log goes on, and if not, why, and what the operator can do. */
export type Standing =
  | { readonly outcome: "open" }
  /** It goes on by itself once there is room, or the disk answers again. */
  | { readonly outcome: "full" | "failed"; readonly reason: string; readonly next: string }
  /** It cannot go on without contradicting what it has shown. */
  | { readonly outcome: "damaged" | "missing" | "ahead"; readonly reason: string; readonly next: string };

export type Stopped = Exclude<Standing, { outcome: "open" }>;

const beginAnother = "run `npx bailiwick log begin`, which begins another log (docs/operating/log.md)";

export function full(reason: string): Stopped {
  return { outcome: "full", reason, next: "Free disk space: the log goes on by itself." };
}

export function failed(error: unknown): Stopped {
  const why = error instanceof Error ? error.message : String(error);
  const next = "Look at the disk; the log is tried again every second.";
  return { outcome: "failed", reason: `The log cannot be written: ${why}.`, next };
}

export function damaged(outcome: "damaged" | "missing", reason: string): Stopped {
  return { outcome, reason, next: `Bring back the newest copy of the folder and start again; or ${beginAnother}.` };
}

export function ahead(reason: string): Stopped {
  return { outcome: "ahead", reason, next: `Bring back the journal that belongs to it, or ${beginAnother}.` };
}

export function isSameStanding(a: Standing, b: Standing): boolean {
  const reasonOf = (standing: Standing): string => (standing.outcome === "open" ? "" : standing.reason);
  return a.outcome === b.outcome && reasonOf(a) === reasonOf(b);
}
