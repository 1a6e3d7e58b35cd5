/** From the gateway bench's rounds to its figures, aims and table. Pure: the same rounds give the same report. */
import type { TargetName } from "./gateway-targets.ts";
import type { RoundResult } from "./load.ts";
import { type Aim, atMost, type Outcome, rounded } from "./report.ts";
import { type Distribution, median } from "./statistics.ts";
import type { Shape } from "./workload.ts";

export interface Measured {
  readonly rounds: MeasuredRound[];
  /** One distribution a round. */
  readonly fdatasyncMs: Distribution[];
  readonly absent: Readonly<Partial<Record<TargetName, string>>>;
}

export interface MeasuredRound extends RoundResult {
  readonly round: number;
  readonly shape: Shape;
  readonly target: TargetName;
  readonly cpuMs: number;
  readonly childrenCpuMs: number;
  readonly residentBytes: number;
}

/** Medians over the rounds; what was not measured is absent. */
interface Figures {
  readonly requestsPerSecond?: number;
  readonly cpuPerRequestMicroseconds?: number;
  readonly childrenCpuPerRequestMicroseconds?: number;
  readonly cpuPerEventMicroseconds?: number;
  readonly eventsPerPiece?: number;
  readonly latencyP50Ms?: number;
  readonly latencyP99Ms?: number;
  readonly addedP50Ms?: number;
  readonly addedP99Ms?: number;
  readonly residentMebibytes?: number;
}

export function summarize(measured: Measured, conditions: Readonly<Record<string, unknown>>): Outcome {
  const names = [...new Set(measured.rounds.map(({ target }) => target))];
  const figures: Partial<Record<TargetName, Figures>> = Object.fromEntries(
    names.map((name) => [name, figuresOf(name, measured.rounds)]),
  );
  const fdatasyncP99Ms = median(measured.fdatasyncMs.map(({ p99 }) => p99));
  const fdatasyncP50Ms = median(measured.fdatasyncMs.map(({ p50 }) => p50));
  return {
    results: { conditions, figures, fdatasyncP50Ms, fdatasyncP99Ms, ...measured },
    aims: aimsOf(figures, measured.rounds, fdatasyncP99Ms),
    table: tableOf(figures, names),
    notes: [
      `fdatasync on this disk: p50 ${rounded(fdatasyncP50Ms)} ms, p99 ${rounded(fdatasyncP99Ms)} ms`,
      ...Object.entries(measured.absent).map(([name, why]) => `${name} is absent: ${why}`),
    ],
  };
}

function aimsOf(
  figures: Partial<Record<TargetName, Figures>>,
  rounds: readonly MeasuredRound[],
  fdatasyncP99Ms: number,
): Aim[] {
  const request = (against: TargetName) => ratio(rounds, "request", "bailiwick", against, cpuPerRequest);
  const event = (against: TargetName) => ratio(rounds, "stream", "bailiwick", against, cpuPerEvent);
  return [
    atMost("CPU per request, as a multiple of the bare proxy's", request("bare"), 2.2),
    atMost("CPU per request, as a multiple of vllm-router's", request("vllm-router"), 1),
    atMost(
      "p99 added latency at 500 requests/s, ms (fdatasync's p99 + 2 ms)",
      figures.bailiwick?.addedP99Ms,
      fdatasyncP99Ms + 2,
    ),
    atMost("CPU per streamed event, as a multiple of the bare proxy's", event("bare"), 1.3),
    atMost("CPU per streamed event, as a multiple of vllm-router's (a reach)", event("vllm-router"), 1),
    atMost("resident set of the gateway, MiB", figures.bailiwick?.residentMebibytes, 250),
  ];
}

const cpuPerRequest = (round: MeasuredRound): number => (round.cpuMs * 1000) / round.requests;
const cpuPerEvent = (round: MeasuredRound): number => (round.cpuMs * 1000) / round.events;

/** The median of the rounds' ratios: two targets of one round met the same machine, those of two rounds did not. */
function ratio(
  rounds: readonly MeasuredRound[],
  shape: Shape,
  target: TargetName,
  against: TargetName,
  cost: (round: MeasuredRound) => number,
): number | undefined {
  const ratios = rounds
    .filter((round) => round.shape === shape && round.target === target)
    .flatMap((round) => {
      const other = rounds.find((r) => r.shape === shape && r.target === against && r.round === round.round);
      return other === undefined ? [] : [cost(round) / cost(other)];
    });
  return ratios.length === 0 ? undefined : median(ratios);
}

function figuresOf(name: TargetName, rounds: readonly MeasuredRound[]): Figures {
  const own = rounds.filter(({ target }) => target === name);
  const of = (shape: Shape, value: (round: MeasuredRound) => number | undefined): number | undefined => {
    const values = own.filter((round) => round.shape === shape).flatMap((round) => value(round) ?? []);
    return values.length === 0 ? undefined : median(values);
  };
  const added =
    (share: "p50" | "p99") =>
    (round: MeasuredRound): number | undefined => {
      const direct = rounds.find((r) => r.shape === "latency" && r.target === "direct" && r.round === round.round);
      return direct === undefined ? undefined : round.latencyMs[share] - direct.latencyMs[share];
    };
  const figures: { [Name in keyof Figures]: number | undefined } = {
    requestsPerSecond: of("request", ({ requests, elapsedMs }) => (requests * 1000) / elapsedMs),
    cpuPerRequestMicroseconds: of("request", cpuPerRequest),
    childrenCpuPerRequestMicroseconds: of(
      "request",
      ({ childrenCpuMs, requests }) => (childrenCpuMs * 1000) / requests,
    ),
    cpuPerEventMicroseconds: of("stream", cpuPerEvent),
    eventsPerPiece: of("stream", ({ events, pieces }) => events / pieces),
    latencyP50Ms: of("latency", ({ latencyMs }) => latencyMs.p50),
    latencyP99Ms: of("latency", ({ latencyMs }) => latencyMs.p99),
    addedP50Ms: of("latency", added("p50")),
    addedP99Ms: of("latency", added("p99")),
    residentMebibytes: Math.max(...own.map(({ residentBytes }) => residentBytes)) / 2 ** 20,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

function tableOf(figures: Partial<Record<TargetName, Figures>>, names: readonly TargetName[]): Outcome["table"] {
  const cell = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? "-";
  return {
    columns: [
      "target",
      "requests/s",
      "CPU us/request",
      "children",
      "CPU us/event",
      "p50 ms",
      "p99 ms",
      "p99 added",
      "MiB",
    ],
    rows: names.map((name) => {
      const of = figures[name] ?? {};
      return [
        name,
        cell(of.requestsPerSecond, 0),
        cell(of.cpuPerRequestMicroseconds, 1),
        cell(of.childrenCpuPerRequestMicroseconds, 1),
        cell(of.cpuPerEventMicroseconds, 1),
        cell(of.latencyP50Ms, 2),
        cell(of.latencyP99Ms, 2),
        cell(of.addedP99Ms, 2),
        cell(of.residentMebibytes, 0),
      ];
    }),
  };
}
