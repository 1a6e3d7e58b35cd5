import { basename } from "node:path";
import type { ModelShape } from "../../pool/index.ts";
import {
  type Chance,
  chanceStreams,
  checkRequests,
  formatLike,
  type Workload,
  type WorkloadRequest,
} from "../../sim/index.ts";
import { PlanError } from "../problem.ts";
import { readLitellm } from "./litellm.ts";
import { readOpenai } from "./openai.ts";
import type { UsageExport, UsageRow } from "./row.ts";
import { type StandIns, standInsFor } from "./stand-ins.ts";
import { busiestWindow, spanMsOf, type Window } from "./window.ts";

const readers = { litellm: readLitellm, openai: readOpenai } as const satisfies Record<
  string,
  (path: string) => Promise<UsageExport>
>;

export type UsageFormat = keyof typeof readers;
export const usageFormats = Object.keys(readers) as readonly UsageFormat[];

export interface UsageSource {
  readonly path: string;
  readonly format: UsageFormat;
  readonly standIns: StandIns;
  /** The busiest stretch of so many is planned for. */
  readonly minutes: number;
  /** Each gives a workload where requests are drawn; where they are recorded, there is one. */
  readonly seeds: number;
}

export interface UsageWorkloads {
  readonly workloads: readonly Workload[];
  /** The window that they are cut from, also where its beginning or end has no request. */
  readonly plannedMs: number;
  /** By the names that the workloads have: those of the stand-ins. */
  readonly shapes: ReadonlyMap<string, ModelShape>;
}

/** A usage export as workloads. Throws a `PlanError` or a `WorkloadError` that says what is wrong with it. */
export async function readUsage({
  path,
  format,
  standIns: given,
  minutes,
  seeds,
}: UsageSource): Promise<UsageWorkloads> {
  const { rows, notes } = await rowsOf(path, format);
  const standIns = standInsFor(path, rows, given);
  const window = busiestWindow(rows, minutes);
  if (window === undefined) throw new PlanError(`${path}: it spans more than two years`);
  const isDrawn = rows.some(({ fromMs, toMs }) => toMs > fromMs);
  const said = [
    ...[...standIns]
      .map(([name, { id }]) => `${id} stands for ${name}`)
      .filter((text) => !/^(.+) stands for \1$/.test(text)),
    ...notes,
    `planned for the busiest ${minutes} minutes of the export, from ${new Date(window.fromMs).toISOString()}`,
    ...shortNotes(rows, minutes),
  ];
  const workloads = Array.from({ length: isDrawn ? seeds : 1 }, (_, index): Workload => {
    const requests = requestsIn(window, rows, standIns, chanceStreams(index + 1)());
    return { name: basename(path), requests, notes: said };
  });
  if (workloads.some(({ requests }) => requests.length === 0)) {
    throw new PlanError(`${path}: its busiest ${minutes} minutes have hardly a request; ask for more minutes`);
  }
  const shapes = new Map([...standIns.values()].map((shape) => [shape.id, shape]));
  return { workloads, plannedMs: window.toMs - window.fromMs, shapes };
}

/** Devices are paid for the whole time: an export of a minute in half an hour makes each token dear. */
function shortNotes(rows: readonly UsageRow[], minutes: number): readonly string[] {
  const spanMinutes = spanMsOf(rows) / 60_000;
  if (spanMinutes > minutes - 1) return [];
  const span = Math.max(1, Math.ceil(spanMinutes));
  return [
    `the export is about ${span} minute(s) long, and the price of a token is reckoned over all ${minutes}: ` +
      `give --minutes ${span} to plan for it alone`,
  ];
}

/** Who gives a file of another format is told which: what it lacks of this one would help nobody. */
async function rowsOf(path: string, format: UsageFormat): Promise<UsageExport> {
  try {
    const read = await readers[format](path);
    if (read.rows.length > 0) return read;
    throw new PlanError(`${path}: no request for text is in it`);
  } catch (error) {
    const like = (await formatLike(path).catch(() => undefined)) ?? (await otherExport(path, format));
    if (like === undefined) throw error;
    throw new PlanError(`${path}: looks like ${like}, and not like ${format}: give ${like} as its format`);
  }
}

async function otherExport(path: string, format: UsageFormat): Promise<UsageFormat | undefined> {
  const other = usageFormats.find((known) => known !== format)!;
  const isOther = await readers[other](path).then(
    ({ rows }) => rows.length > 0,
    () => false,
  );
  return isOther ? other : undefined;
}

function requestsIn(
  { fromMs, toMs }: Window,
  rows: readonly UsageRow[],
  standIns: StandIns,
  chance: Chance,
): readonly WorkloadRequest[] {
  const requests: WorkloadRequest[] = [];
  for (const row of rows) {
    const model = standIns.get(row.model)!.id;
    const { tenant } = row;
    const inputTokens = Math.max(1, Math.round(row.inputTokens / row.requests));
    const outputTokens = Math.max(1, Math.round(row.outputTokens / row.requests));
    for (const atMs of arrivalsIn(row, { fromMs, toMs }, chance)) {
      requests.push({ atMs: atMs - fromMs, model, tenant, inputTokens, outputTokens });
    }
    checkRequests(requests.length);
  }
  return requests.toSorted((a, b) => a.atMs - b.atMs);
}

/** Those in the window: Poisson arrivals at the row's mean rate, or the one moment that it names. */
function* arrivalsIn(row: UsageRow, window: Window, chance: Chance): Generator<number, void, void> {
  if (row.toMs === row.fromMs) {
    if (row.fromMs >= window.fromMs && row.fromMs < window.toMs) yield row.fromMs;
    return;
  }
  const meanMs = (row.toMs - row.fromMs) / row.requests;
  const endMs = Math.min(row.toMs, window.toMs);
  for (let atMs = Math.max(row.fromMs, window.fromMs); ;) {
    atMs -= Math.log(1 - chance()) * meanMs;
    if (atMs >= endMs) return;
    yield atMs;
  }
}
