import type { Command } from "commander";
import { formatExact, parseExact } from "../base/index.ts";
import type { Placements } from "../gateway/control/index.ts";
import type { Candidate, Changed, Placement, Question } from "../policy/index.ts";
import type { ControlClient } from "./control-client.ts";
import type { Deadlines } from "./deadlines.ts";
import { whole } from "./numbers.ts";
import type { Printer } from "./printer.ts";
import { parseInstant } from "./reservation.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Column } from "./table.ts";

export interface ReplayOptions {
  readonly since?: string;
  readonly limit: number;
}

/** Requests of one project that ended the same way under one decision. */
export interface Replayed extends Placement {
  readonly project: string;
  readonly requests: number;
  readonly unrated: number;
  readonly amount: string;
  readonly currency: string | null;
  /** None of those that were refused. */
  readonly deadlines: readonly Deadlines[];
}

/** What is on record of a time, and how much of it cannot be replayed, and why. */
export interface OnRecord {
  readonly since: string;
  readonly placements: readonly Replayed[];
  readonly missing: readonly { readonly requests: number; readonly why: string }[];
}

export function withReplay(command: Command): Command {
  return command
    .option("--since <time>", "what happened since a day or an instant; default: 7 days", parseInstant)
    .option(
      "--limit <n>",
      "look at so many requests, and as many refusals, the newest",
      whole(1, 10_000_000),
      1_000_000,
    );
}

export async function onRecord(cloud: ControlClient, { since, limit }: ReplayOptions): Promise<OnRecord> {
  const found = await cloud.get<Placements>("/placements", { since, newest: String(limit) });
  const whys = {
    earlier_release: "an earlier release took them, which kept no decisions",
    not_kept: "what was asked was too long to be kept, or is older than what is kept",
  };
  const sumOf = (missing: keyof typeof whys): number =>
    found.items.filter((item) => item.missing === missing).reduce((sum, { requests }) => sum + requests, 0);
  const missing = [
    ...Object.entries(whys).map(([kind, why]) => ({ requests: sumOf(kind as keyof typeof whys), why })),
    { requests: found.leftOut, why: "they are in the smallest groups, and there are too many of these" },
  ];
  // The gateway kept them as they were asked (src/stages/placement.ts); the control API hands them on as they are.
  const placements = found.items
    .filter(({ question }) => question !== null)
    .map(({ project, question, candidates, ranAt, requests, unrated, amount, currency, deadlines }) => ({
      question: question as unknown as Question,
      candidates: candidates as unknown as readonly Candidate[],
      ranAt: ranAt ?? undefined,
      project: `${project.organisation}/${project.name}`,
      requests,
      unrated,
      amount,
      currency,
      deadlines,
    }));
  return { since: found.since, placements, missing: missing.filter(({ requests }) => requests > 0) };
}

/** Says how far a long replay is, where somebody watches. */
export function progressOf(total: number, { clock, stderr }: Surroundings): (count: number) => void {
  let saidAtMs = clock.monotonicMs();
  return (count) => {
    if (stderr.isTTY !== true || clock.monotonicMs() - saidAtMs < 500) return;
    saidAtMs = clock.monotonicMs();
    stderr.write(`replayed ${count} of ${total}\n`);
  };
}

/** Placements added up: requests, tenants, and what they brought in each currency. */
export function sumsOf(placements: readonly Replayed[]) {
  const amounts = new Map<string, bigint>();
  for (const { amount, currency } of placements) {
    if (currency !== null) amounts.set(currency, (amounts.get(currency) ?? 0n) + parseExact(amount));
  }
  return {
    requests: requestsOf(placements),
    tenants: new Set(placements.map(({ project }) => project)).size,
    unrated: placements.reduce((sum, { unrated }) => sum + unrated, 0),
    amounts: [...amounts].map(([currency, amount]) => ({
      currency,
      amount: formatExact(amount as ReturnType<typeof parseExact>),
    })),
  };
}

export function requestsOf(placements: readonly Replayed[]): number {
  return placements.reduce((sum, { requests }) => sum + requests, 0);
}

export function sumText(placements: readonly Replayed[]): string {
  const { requests, tenants, amounts } = sumsOf(placements);
  const worth = amounts.map(({ currency, amount }) => `${amount} ${currency}`).join(", ");
  const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;
  return [plural(requests, "request"), plural(tenants, "tenant"), ...(worth === "" ? [] : [worth])].join(", ");
}

const rowsShown = 50;

/** A table in which rows that read alike are one, with the sum of their requests; the largest first. */
export function showGrouped<Row>(
  printer: Printer,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  requests: (row: Row) => number,
): void {
  const groups = new Map<string, { readonly row: Row; requests: number }>();
  for (const row of rows) {
    const key = JSON.stringify(columns.map(({ text }) => text(row)));
    const group = groups.get(key) ?? { row, requests: 0 };
    group.requests += requests(row);
    groups.set(key, group);
  }
  const shown = [...groups.values()].toSorted((one, other) => other.requests - one.requests);
  const counted: readonly Column<(typeof shown)[number]>[] = [
    { title: "REQUESTS", text: (group) => String(group.requests), align: "right" },
    ...columns.map(({ text, ...column }) => ({ ...column, text: ({ row }: { readonly row: Row }) => text(row) })),
  ];
  printer.table(counted, shown.slice(0, rowsShown), "");
  if (shown.length > rowsShown) printer.note(`and ${shown.length - rowsShown} more rows; --json has them all`);
}

/** What a replay could not look at: nobody should take the rest for all. */
export function noteMissing(printer: Printer, { missing }: OnRecord): void {
  for (const { requests, why } of missing) printer.note(`not replayed: ${requests} requests: ${why}.`);
}

export function replayedJson({ project, question, ranAt, requests, unrated, amount, currency, deadlines }: Replayed) {
  const { action, model } = question;
  const { dataClass } = question.project;
  return { project, action, model, dataClass, ranAt: ranAt ?? null, requests, unrated, amount, currency, deadlines };
}

export function changedJson({ placement, permittedAt, because }: Changed<Replayed>) {
  return { ...replayedJson(placement), permittedAt, because };
}
