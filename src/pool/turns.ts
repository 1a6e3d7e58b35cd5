import { givesWayTo, holderAtWork } from "./giving-way.ts";
import { prefillMs } from "./speed.ts";
import type { Device, Lane, Sequence } from "./state.ts";
import type { Tuning } from "./tuning.ts";

/** Whose turn it is. */
export type Choice =
  | { readonly kind: "prefill"; readonly lane: Lane; readonly sequences: readonly Sequence[] }
  | { readonly kind: "decode"; readonly lane: Lane; readonly untilMs: number };

/** What a lane could do next, and how long it can wait. */
interface Task {
  readonly lane: Lane;
  readonly isPrefill: boolean;
  readonly costMs: number;
  readonly slackMs: number;
}

/**
 * Rules 2, 3 and 8 (see pool.ts): prompts as soon as they endanger nobody, the shortest first; then whoever can wait least,
 * or, where all can wait, whoever may be done soonest.
 * `fits`: whether so many bytes of KV have room beside what is there.
 */
export function chooseTurn(
  device: Device,
  nowMs: number,
  tuning: Tuning,
  fits: (lane: Lane, bytes: number) => boolean,
): Choice | undefined {
  const tasks = tasksOf(device, nowMs, tuning, fits);
  if (tasks.length === 0) return undefined;
  const safetyMs = tuning.minTurnMs * tasks.length;
  const [least, second] = twoLeast(tasks);
  /** How long the others can wait. */
  const othersMs = (task: Task): number => (task === least ? (second?.slackMs ?? Infinity) : least!.slackMs);

  let chosen: Task | undefined;
  const withoutPrompts = tuning.without.includes("promptsFirst");
  for (const task of withoutPrompts ? [] : tasks) {
    if (!task.isPrefill || task.costMs > othersMs(task) - safetyMs) continue;
    if (chosen === undefined || task.costMs < chosen.costMs) chosen = task;
  }
  if (chosen === undefined && !tuning.without.includes("fewestFirst"))
    chosen = soonestDone(device, tasks, least!, nowMs, tuning);
  if (chosen === undefined) {
    chosen = tuning.without.includes("leastSlack") ? longestUnserved(tasks) : least!;
    if (chosen.isPrefill) chosen = endangered(tasks, chosen, nowMs) ?? chosen;
  }
  const budgetMs = othersMs(chosen) - safetyMs;
  if (chosen.isPrefill) {
    return { kind: "prefill", lane: chosen.lane, sequences: together(chosen.lane, budgetMs, nowMs, tuning, fits) };
  }
  const turnMs = Math.min(tuning.maxTurnMs, Math.max(tuning.minTurnMs, budgetMs));
  return { kind: "decode", lane: chosen.lane, untilMs: nowMs + turnMs };
}

function tasksOf(device: Device, nowMs: number, tuning: Tuning, fits: (lane: Lane, bytes: number) => boolean): Task[] {
  const tasks: Task[] = [];
  const holder = holderAtWork(device);
  for (const lane of device.busy) {
    if (lane.weights !== "resident" || (holder !== undefined && givesWayTo(lane, holder))) continue;
    if (lane.running.length > 0) {
      const costMs = lane.stepMs();
      // Others wait until it is empty: it has its turn in each round, also where what it has is late.
      const leastMs = lane.isDraining ? (lane.lastTurnMs ?? nowMs) + tuning.maxTurnMs : Infinity;
      tasks.push({ lane, isPrefill: false, costMs, slackMs: Math.min(lane.dueMs, leastMs) - nowMs - costMs });
    }
    const { first } = lane.waiting;
    const isNext = first !== undefined && !lane.isDraining && lane.freePlacesFor(first, nowMs) > 0;
    if (isNext && fits(lane, lane.firstPromptBytes)) {
      const costMs = prefillMs(lane.speed, first.contextTokens);
      tasks.push({ lane, isPrefill: true, costMs, slackMs: first.dueMs - nowMs - costMs });
    }
  }
  return tasks;
}

function twoLeast(tasks: readonly Task[]): readonly [Task | undefined, Task | undefined] {
  let least: Task | undefined;
  let second: Task | undefined;
  for (const task of tasks) {
    if (least === undefined || task.slackMs < least.slackMs) [least, second] = [task, least];
    else if (second === undefined || task.slackMs < second.slackMs) second = task;
  }
  return [least, second];
}

/**
 * Of models that run, the one with fewest sequences, unless another has stood still for long; undefined where anybody is in a
 * hurry, or has no weights here and takes turns in memory.
 */
function soonestDone(
  device: Device,
  tasks: readonly Task[],
  least: Task,
  nowMs: number,
  tuning: Tuning,
): Task | undefined {
  if (least.isPrefill || least.slackMs < 2 * tuning.loadMarginMs) return undefined;
  for (const { weights } of device.busy) if (weights === "absent") return undefined;
  let fewest = least;
  let stillest = least;
  for (const task of tasks) {
    if (task.isPrefill) continue;
    if (task.lane.running.length < fewest.lane.running.length) fewest = task;
    if (task.lane.lastUsedMs < stillest.lane.lastUsedMs) stillest = task;
  }
  return nowMs - stillest.lane.lastUsedMs > tuning.stillMaxMs ? stillest : fewest;
}

/**
 * A prompt is next that takes longer than somebody who has tokens can wait: whoever of them can wait least, as long as their
 * steps bring all of them far enough ahead before the prompt would be late, or else more of them than the one prompt would be.
 * Undefined: nobody.
 */
function endangered(tasks: readonly Task[], prompt: Task, nowMs: number): Task | undefined {
  let first: Task | undefined;
  let catchUpMs = 0;
  let late = 0;
  for (const task of tasks) {
    const lackMs = prompt.costMs - task.slackMs;
    if (task.isPrefill || lackMs <= 0) continue;
    const { running, tpotMs } = task.lane;
    const dueMs = nowMs + task.costMs + prompt.costMs;
    late += running.filter((sequence) => sequence.dueMs - sequence.promptLeftMs < dueMs).length;
    catchUpMs += Math.ceil(lackMs / Math.max(1, tpotMs - task.costMs)) * task.costMs;
    if (first === undefined || task.slackMs < first.slackMs) first = task;
  }
  return catchUpMs <= prompt.slackMs || late > 1 ? first : undefined;
}

function longestUnserved(tasks: readonly Task[]): Task {
  let chosen = tasks[0]!;
  for (const task of tasks) if (task.lane.lastUsedMs < chosen.lane.lastUsedMs) chosen = task;
  return chosen;
}

/** The first prompt, and those after it that still endanger nobody. */
function together(
  lane: Lane,
  budgetMs: number,
  nowMs: number,
  tuning: Tuning,
  fits: (lane: Lane, bytes: number) => boolean,
): Sequence[] {
  const chosen: Sequence[] = [];
  let tokens = 0;
  let costMs = 0;
  let bytes = 0;
  for (const sequence of lane.waiting) {
    tokens += sequence.contextTokens;
    costMs += prefillMs(lane.speed, sequence.contextTokens);
    bytes += lane.kvBytesOf(sequence.contextTokens, sequence.tokensLeftMax);
    if (chosen.length >= lane.freePlacesFor(sequence, nowMs)) break;
    if (chosen.length > 0 && (tokens > tuning.prefillTokens || costMs > budgetMs || !fits(lane, bytes))) break;
    chosen.push(sequence);
  }
  return chosen;
}
