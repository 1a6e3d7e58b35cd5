import { type Experiment, type ExperimentResult, prepare } from "../experiment.ts";
import { percentiles } from "../figures.ts";
import type { Outcome } from "../outcome.ts";
import { variantsOf } from "../schedulers.ts";
import { simulate } from "../simulate.ts";
import { type Window, windowsOf } from "./windows.ts";

/** What became of the requests that came in one window. */
export interface CourseWindow extends Window {
  readonly requestsPerSecond: number;
  /** Share of them that was met strictly; undefined where none came. */
  readonly metShare: number | undefined;
  /** Undefined where none had a first token. */
  readonly ttftMs: MiddleAndTail | undefined;
}

export interface MiddleAndTail {
  readonly p50: number;
  readonly p99: number;
}

/** A model's times to the first token, of all seeds together. */
export interface ModelTtft extends MiddleAndTail {
  readonly model: string;
}

export interface Course {
  /** How long most windows are; the last takes what is left over. */
  readonly windowMs: number;
  /** The same windows for each seed. */
  readonly seeds: readonly (readonly CourseWindow[])[];
  /** Slowest first, by p99. A model that never gave a first token has no times, and is not there. */
  readonly models: readonly ModelTtft[];
}

/**
 * Runs once more what the experiment found best: it keeps figures and forgets each request, and the same arguments give
 * the same result. So who wants no plot holds no more in memory than the figures need.
 */
export function courseOf(experiment: Experiment, { policy }: Pick<ExperimentResult, "policy">): Course {
  const devices = experiment.fleet.reduce((sum, { count }) => sum + count, 0);
  const variant = variantsOf(experiment.policy, devices).find(({ name }) => name === policy)!;
  const mayForget = experiment.policy !== "ours";
  const seeds = experiment.workloads.map((workload) => {
    const { fleet, requests } = prepare(experiment, workload);
    return simulate(fleet, variant.create(fleet, requests), requests, { mayForget }).outcomes;
  });
  return summarizeCourse(seeds);
}

/** Each seed's outcomes in the order in which their requests came. */
export function summarizeCourse(seeds: readonly (readonly Outcome[])[]): Course {
  const endMs = Math.max(1, ...seeds.map((outcomes) => outcomes.at(-1)?.request.atMs ?? 0));
  const requests = seeds.reduce((sum, outcomes) => sum + outcomes.length, 0) / seeds.length;
  const { windowMs, windows } = windowsOf(endMs, requests);
  return {
    windowMs,
    seeds: seeds.map((outcomes) => {
      const groups = Map.groupBy(outcomes, ({ request }) =>
        Math.min(windows.length - 1, Math.floor(request.atMs / windowMs)),
      );
      return windows.map((window, index) => windowOf(window, groups.get(index) ?? []));
    }),
    models: modelsOf(seeds.flat()),
  };
}

function windowOf(window: Window, outcomes: readonly Outcome[]): CourseWindow {
  return {
    ...window,
    requestsPerSecond: outcomes.length / ((window.toMs - window.fromMs) / 1000),
    metShare: outcomes.length === 0 ? undefined : outcomes.filter(({ isMet }) => isMet).length / outcomes.length,
    ttftMs: ttftOf(outcomes),
  };
}

function modelsOf(outcomes: readonly Outcome[]): readonly ModelTtft[] {
  return [...Map.groupBy(outcomes, ({ request }) => request.model)]
    .flatMap(([model, itsOutcomes]) => {
      const ttft = ttftOf(itsOutcomes);
      return ttft === undefined ? [] : [{ model, ...ttft }];
    })
    .sort((a, b) => b.p99 - a.p99);
}

function ttftOf(outcomes: readonly Outcome[]): MiddleAndTail | undefined {
  const { p50, p99 } = percentiles(outcomes.flatMap(({ ttftMs }) => ttftMs ?? []));
  return p50 === null || p99 === null ? undefined : { p50, p99 };
}
