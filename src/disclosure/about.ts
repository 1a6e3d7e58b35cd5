import type { DocumentNamed, LiveState, Period } from "./live-state.ts";

/** What every report opens with: when, from what, for which time. */
export interface About {
  /** Another one where a member changes its meaning. */
  readonly format: "bailiwick-report/1";
  /** ISO 8601, UTC: the only part that differs between two reports of the same state. */
  readonly at: string;
  readonly release: string;
  readonly installation: string;
  readonly facts: DocumentNamed;
  readonly policies: DocumentNamed;
  /** null: it is about a moment. */
  readonly period: Period | null;
  readonly note: string;
}

export const note =
  "An aid, not legal advice: it shows what this cloud records and what its operator declares, and decides nothing.";

/** "2026-11-26T12:00:00.000Z" as people write it, to the second. */
export function momentText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}

export function periodText({ from, to }: Period): string {
  return `from ${momentText(from)} to ${momentText(to)}`;
}

export function aboutReport(state: LiveState, period: Period | null): About {
  return {
    format: "bailiwick-report/1",
    at: new Date(state.atMs).toISOString(),
    release: state.release,
    installation: state.installation,
    facts: state.factsNamed,
    policies: state.policiesNamed,
    period: period === null ? null : { from: period.from, to: period.to },
    note,
  };
}
