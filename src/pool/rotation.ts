import type { Device, Lane } from "./state.ts";
import type { Tuning } from "./tuning.ts";

/** Whether no two models like this one fit: then nothing runs while it is copied. */
export function isAlone({ spec, kvBytes }: Device, { model }: Lane): boolean {
  return spec.memoryBytes - kvBytes < 2 * model.weightsBytes;
}

/**
 * How long a model is to stay that is copied in the place of one with work. Where it is alone there, short stays would be all
 * copies, and nobody would ever be far enough ahead to make room for a long one.
 */
export function stayMs(lane: Lane, { stayShare, maxTurnMs }: Tuning): number {
  if (!isAlone(lane.device, lane)) return maxTurnMs;
  return Math.max(maxTurnMs, stayShare * lane.ttftMs - lane.speed.loadMs);
}

/** Until `other`, which is there, is so far ahead of its deadlines that it can make room for `lane`, and be back in time. */
export function aheadMs(other: Lane, lane: Lane, nowMs: number, tuning: Tuning): number {
  if (other.running.length === 0) return 0;
  const awayMs = lane.speed.loadMs + stayMs(lane, tuning) + other.speed.loadMs;
  const lackMs = awayMs - (other.dueMs - nowMs);
  if (lackMs <= 0) return 0;
  const stepMs = other.stepMs();
  const endedMs = other.tokensLeft * stepMs;
  return stepMs < other.tpotMs ? Math.min(endedMs, (lackMs * stepMs) / (other.tpotMs - stepMs)) : endedMs;
}
