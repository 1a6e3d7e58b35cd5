import { stepMs } from "./speed.ts";
import type { Lane } from "./state.ts";
import type { Tuning } from "./tuning.ts";
import type { PoolRequest } from "./types.ts";
import { isBehind } from "./giving-way.ts";

interface Demand {
  /**
   * The share of a device's time that is needed once it has the request too: for promised tokens, of each model one step
   * every token's time; and for prompts, as many as of late.
   */
  readonly compute: number;
  /**
   * Where its models do not fit at once, the share of the time until the first token that copying takes while each of them
   * has one turn: beyond 1 they cannot take turns. Of n models in turn of which r fit, the best eviction copies
   * n (n - r) / (n - 1) in a round (Belady's rule); one place is taken by the copy under way.
   */
  readonly copies: number;
}

/** What a device's models need with one request more; `counts`: whose promised tokens are part of it, beside its own model's. */
export function demandWith(
  lane: Lane,
  request: PoolRequest,
  nowMs: number,
  counts: (other: Lane) => boolean = () => true,
): Demand {
  const { device } = lane;
  const tpotMs = Math.min(lane.tpotMs, lane.answers.tpotMsFor(request, nowMs));
  let compute = device.promptShare(nowMs, request) + laneDemand(lane, sequencesBeside(lane, request) + 1, tpotMs);
  let models = 1;
  let weightsBytes = lane.model.weightsBytes;
  let copiesMs = lane.speed.loadMs;
  let kvBytes =
    device.kvBytes + lane.waiting.kvBytes(request) + lane.kvBytesOf(request.inputTokens, request.maxOutputTokens);
  for (const other of device.busy) {
    if (other === lane || isBehind(other, request)) continue;
    models++;
    if (counts(other)) compute += laneDemand(other, sequencesBeside(other, request), other.tpotMs);
    weightsBytes += other.model.weightsBytes;
    copiesMs += other.speed.loadMs;
    kvBytes += other.waiting.kvBytes(request);
  }
  const roomBytes = device.spec.memoryBytes - kvBytes;
  if (weightsBytes <= roomBytes) return { compute, copies: 0 };
  const beyond = Math.min(1, 1 - (roomBytes - lane.model.weightsBytes) / weightsBytes);
  const copies = (copiesMs * beyond * models) / Math.max(1, models - 1) / request.objective.ttftMs;
  // Without room for two models nothing runs while one is copied.
  return { compute: roomBytes < 2 * lane.model.weightsBytes ? compute + copies : compute, copies };
}

/** Those that run, and those that wait and do not give way to the request. */
function sequencesBeside({ running, waiting }: Lane, request: PoolRequest): number {
  return running.length + waiting.lengthBeside(request);
}

function laneDemand({ speed, contextTokens }: Lane, sequences: number, tpotMs: number): number {
  return stepMs(speed, sequences, contextTokens) / tpotMs;
}

/**
 * The share of a device's time that may be promised there: more than all of it as long as those that run are ahead of their
 * deadlines, because they can wait; less where they are not, or all of them would be late together.
 */
export function demandMaxOf({ device, answers }: Lane, request: PoolRequest, nowMs: number, tuning: Tuning): number {
  let slackMs = 0;
  let running = 0;
  for (const lane of device.busy) {
    slackMs += lane.slackSumMs(nowMs);
    running += lane.running.length;
  }
  if (running === 0) return tuning.demandMax;
  const answerMs = Math.min(request.maxOutputTokens, answers.meanTokens) * request.objective.tpotMs;
  return Math.min(tuning.demandMax, tuning.demandLeast + (tuning.slackWeight * slackMs) / (running * answerMs));
}
