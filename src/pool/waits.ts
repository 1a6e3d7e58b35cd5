import { prefillMs } from "./speed.ts";
import { aheadMs, isAlone, stayMs } from "./rotation.ts";
import type { Device, Lane } from "./state.ts";
import type { Tuning } from "./tuning.ts";
import type { PoolRequest } from "./types.ts";
import { isBehind, yieldingTo } from "./giving-way.ts";
import { idleVictims } from "./victims.ts";

/** What is left for prompts at the least where steps take nearly all of the time. */
const leastLeft = 0.1;

/** How long its first token takes there: prompts before it and steps between them, or room for its KV; its copy, and whoever has to end first. */
export function firstTokenMs(lane: Lane, request: PoolRequest, nowMs: number, tuning: Tuning): number {
  const { device } = lane;
  const aloneMs = promptBacklogMs(device, request) + prefillMs(lane.speed, request.inputTokens);
  const promptsMs = aloneMs + decodingMs(device, aloneMs, nowMs);
  const ownMs = Math.max(promptsMs, kvMs(device, lane, request, nowMs));
  const turnMs = takesTurns(lane) ? rotationMs(lane, request, aloneMs, nowMs, tuning) : 0;
  const placeMs = sequenceMs(device, lane, request, nowMs) + roomMs(device, lane, request, nowMs);
  return ownMs + turnMs + copyMs(device, lane, request, nowMs) + placeMs;
}

/** Whether one model at a time is there, and its KV stays behind. */
function takesTurns(lane: Lane): boolean {
  return !lane.device.setsAside && isAlone(lane.device, lane);
}

/**
 * Until whoever is there can make room for a model that is not; and where it is there itself, and others would be late for it:
 * until those have been there.
 */
function rotationMs(lane: Lane, request: PoolRequest, promptsMs: number, nowMs: number, tuning: Tuning): number {
  const { device } = lane;
  let durationMs = 0;
  for (const other of device.busy) {
    if (other === lane || lane === device.loading) continue;
    if (lane.weights !== "resident") {
      const isInTheWay = other.weights === "resident" && !isBehind(other, request);
      if (isInTheWay) durationMs = Math.max(durationMs, aheadMs(other, lane, nowMs, tuning));
      continue;
    }
    if (other.weights === "resident" || other.running.length === 0 || isBehind(other, request)) continue;
    const leftMs = other.dueMs - nowMs;
    const backMs = promptsMs + aheadMs(lane, other, nowMs, tuning) + other.speed.loadMs;
    if (backMs > leftMs) durationMs += Math.max(0, leftMs) + stayMs(other, tuning) + lane.speed.loadMs;
  }
  return durationMs;
}

/** What the steps of those that have tokens take of that time, from when the first of them cannot wait any more. */
function decodingMs({ busy }: Device, durationMs: number, nowMs: number): number {
  let share = 0;
  for (const lane of busy) {
    if (lane.running.length === 0) continue;
    const slackMs = Math.max(0, lane.dueMs - nowMs);
    share += (lane.stepMs() / lane.tpotMs) * Math.max(0, 1 - slackMs / durationMs);
  }
  return (durationMs * share) / Math.max(leastLeft, 1 - share);
}

/**
 * Where the models at work are all here, but not the KV of those that wait and of this one: until answers have ended that hold as
 * much. Nothing where somebody's weights could leave for it, because nobody is due before each of them could be copied once; nor
 * where they do not fit at once, and take turns in memory.
 */
function kvMs(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  const { inputTokens, maxOutputTokens } = request;
  const { busy } = device;
  const tokenMs = roundMs(device) / Math.max(leastLeft, 1 - device.promptShare(nowMs));
  let weightsBytes = busy.has(lane) ? 0 : lane.model.weightsBytes;
  let neededBytes = lane.kvBytesOf(inputTokens, maxOutputTokens);
  let endingBytesPerMs = 0;
  let copiesMs = 0;
  let dueMs = Infinity;
  for (const other of busy) {
    weightsBytes += other.model.weightsBytes;
    neededBytes += other.waiting.kvBytes(request);
    copiesMs += other.speed.loadMs;
    dueMs = Math.min(dueMs, other.dueMs);
    if (other.running.length === 0) continue;
    const answerMs = other.answers.meanTokens * Math.min(other.tpotMs, tokenMs);
    endingBytesPerMs += (other.contextTokens * other.model.kvBytesPerToken) / answerMs;
  }
  const roomBytes = device.spec.memoryBytes - weightsBytes;
  const lackBytes = neededBytes + heldBytes(device, request) + device.turnBytes - roomBytes;
  if (roomBytes < 0 || lackBytes <= 0 || endingBytesPerMs === 0) return 0;
  const canSwap = busy.size > 1 && dueMs - nowMs > copiesMs;
  return canSwap ? 0 : lackBytes / endingBytesPerMs;
}

/** Until its weights are there: copies come one after the other, and who has to leave may have to end first. */
function copyMs(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  const { loading } = device;
  const underWayMs = loading === undefined ? 0 : Math.max(0, device.loadingSinceMs + loading.speed.loadMs - nowMs);
  if (lane.weights === "resident") return 0;
  if (lane === loading) return underWayMs;
  let beforeMs = 0;
  let neededBytes = lane.model.weightsBytes;
  for (const other of device.busy) {
    const isBefore = other !== lane && other.weights === "absent" && other.running.length === 0;
    if (!isBefore || isBehind(other, request)) continue;
    beforeMs += other.speed.loadMs;
    neededBytes += other.model.weightsBytes;
  }
  return underWayMs + beforeMs + lane.speed.loadMs + drainMs(device, neededBytes, nowMs, request);
}

/** KV that does not give way to the request. */
function heldBytes({ kvBytes, busy }: Device, request: PoolRequest): number {
  let heldBytes = kvBytes;
  for (const lane of busy) for (const each of yieldingTo(request, lane)) heldBytes -= lane.heldBytesOf(each);
  return heldBytes;
}

/** Where the weights are there, and models that are kept warm have the room for its KV: until the first can leave. */
function roomMs(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  const { inputTokens, maxOutputTokens } = request;
  if (!device.hasWarm || lane.weights !== "resident") return 0;
  return drainMs(device, lane.kvBytesOf(inputTokens, maxOutputTokens), nowMs, request);
}

/** Where models leave only when nothing of them runs, or are kept warm: until the first can. */
export function drainMs(device: Device, neededBytes: number, nowMs: number, request?: PoolRequest): number {
  if (!device.setsAside && !device.hasWarm) return 0;
  if (idleVictims(device, neededBytes, nowMs) !== undefined) return 0;
  let leastMs = Infinity;
  for (const other of device.lanes.values()) {
    if (other.weights !== "resident" || other.isPinned) continue;
    const isTaken = request !== undefined && other.running.length === yieldingTo(request, other).length;
    const isBound = other.hasWork && device.setsAside && !isTaken;
    const warmMs = other.model.keepWarmMs ?? 0;
    const ms = isBound ? other.tokensLeft * roundMs(device) + warmMs : Math.max(0, other.warmUntilMs - nowMs);
    leastMs = Math.min(leastMs, ms);
  }
  return Number.isFinite(leastMs) ? leastMs : 0;
}

/** Where it may run only so many sequences at once: until as many have ended as are before it. */
function sequenceMs(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  const most = lane.placesFor(request, nowMs);
  const sequences = lane.running.length - yieldingTo(request, lane).length + lane.waiting.lengthBefore(request);
  if (sequences < most) return 0;
  const before = sequences - most + 1;
  return (before + 2 * Math.sqrt(before)) * (lane.answers.meanTokens / most) * roundMs(device);
}

/** One step of each model that runs there. */
function roundMs(device: Device): number {
  let durationMs = 0;
  for (const lane of device.busy) if (lane.running.length > 0) durationMs += lane.stepMs();
  return durationMs;
}

/**
 * Prompts that are not computed yet and come before this request's: those that wait, those of the turn under way, and what is left of
 * those that have begun.
 */
export function promptBacklogMs({ busy, turn }: Device, request: PoolRequest): number {
  let backlogMs = 0;
  for (const { waiting, promptsLeftMs, speed } of busy) backlogMs += waiting.durationMs(speed, request) + promptsLeftMs;
  if (turn?.kind !== "prefill") return backlogMs;
  for (const { contextTokens } of turn.sequences) backlogMs += prefillMs(turn.lane.speed, contextTokens);
  return backlogMs;
}
