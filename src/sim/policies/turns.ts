import type { Job, Plan, Residence, Station } from "./board.ts";

export interface TurnRules {
  /** Sequences of one model at a time on a device. */
  readonly batchMax: number;
  /** Prompts are computed together up to this many tokens: vLLM's `max_num_batched_tokens`, 2,048 by default. */
  readonly prefillTokensMax: number;
  /** How long a model decodes before another one on the device that has work, or a request that waits for room, is looked at. */
  readonly sliceMs: number;
  /** The same where nobody waits. Whoever finishes in between is heard of at its end only, so it is not longer. */
  readonly turnMs: number;
}

export const defaultTurnRules: TurnRules = { batchMax: 256, prefillTokensMax: 2_048, sliceMs: 50, turnMs: 500 };

/**
 * Continuous batching as vLLM does it: prompts that wait come first while KV has room, then steps of all that run.
 * Models that share a device run side by side in their own engines; the machine has one turn at a time, so they take
 * slices: next is who has had least of the device's time, measured by its share.
 */
export function nextTurn(station: Station, nowMs: number, rules: TurnRules): Plan | undefined {
  let next: Residence | undefined;
  let others = 0;
  for (const residence of station.residences.values()) {
    if (!canRun(residence)) continue;
    others++;
    if (next === undefined || residence.servedMs < next.servedMs) next = residence;
  }
  if (next === undefined) return undefined;
  const jobs = promptsOf(next, rules);
  if (jobs.length > 0) return { kind: "prefill", residence: next, jobs };
  return decodeOf(next, nowMs, others > 1, rules);
}

export function decodeOf(residence: Residence, nowMs: number, isShared: boolean, rules: TurnRules): Plan {
  const isShort = isShared || residence.waiting.length > 0;
  const untilMs = nowMs + (isShort ? rules.sliceMs : rules.turnMs);
  return { kind: "decode", residence, jobs: residence.running, untilMs };
}

function canRun(residence: Residence): boolean {
  if (!residence.isLoaded) return false;
  if (residence.running.length > 0) return true;
  const [first] = residence.waiting;
  return first !== undefined && first.kvBytes <= residence.station.freeBytes;
}

/** The prompts that can be computed now, in their order: the first that does not fit keeps those behind it waiting. */
function promptsOf(residence: Residence, rules: TurnRules): Job[] {
  const jobs: Job[] = [];
  let freeBytes = residence.station.freeBytes;
  let tokens = 0;
  for (const job of residence.waiting) {
    tokens += job.request.inputTokens;
    freeBytes -= job.kvBytes;
    if (freeBytes < 0 || residence.running.length + jobs.length >= rules.batchMax) break;
    if (jobs.length > 0 && tokens > rules.prefillTokensMax) break;
    jobs.push(job);
  }
  return jobs;
}
