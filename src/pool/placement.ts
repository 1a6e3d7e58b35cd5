import { prefillMs, stepMs } from "./speed.ts";
import type { Device, Lane } from "./state.ts";
import type { PoolModel, PoolRequest } from "./types.ts";
import type { Claim, Reservations } from "./reservations.ts";
import type { Tuning } from "./tuning.ts";
import { idleVictims, tokensLeft } from "./victims.ts";

/**
 * Rules 1 and 6 (see pool.ts). Where a request goes: to a device that runs its model already, because steps are shared there,
 * as long as its prompt does not have to wait for long; else to one that has the weights and is not much busier than the
 * least busy; else to the least busy. Undefined: none could keep what was promised. `leftMs`: until its first token is due.
 */
export function placeRequest(
  request: PoolRequest,
  model: PoolModel,
  devices: Iterable<Device>,
  laneOn: (device: Device) => Lane,
  nowMs: number,
  leftMs: number,
  tuning: Tuning,
  reservations: Reservations,
): Lane | undefined {
  const claims = reservations.claimsOf(request);
  const isOpen = claims.every(({ share }) => share > 0);
  const takesAll = tuning.without.includes("refusing");
  const shares = !tuning.without.includes("sharing");
  let best: Lane | undefined;
  let bestScore = Infinity;
  for (const device of devices) {
    if (!canHold(device, model, request)) continue;
    const lane = laneOn(device);
    if (lane.notBeforeMs > nowMs) continue;
    const waitMs = firstTokenMs(device, lane, request, nowMs);
    if (waitMs > leftMs && !takesAll) continue;
    const { compute, copies } = demandWith(device, lane, request, nowMs);
    const demand = compute + tuning.copiesWeight * copies;
    const more = lane.hasWork ? 0 : tuning.copiesWeight * copies;
    const demandMax = demandMaxOf(lane, request, nowMs, tuning);
    const isBeyond = ({ share, counts }: Claim): boolean =>
      (counts === undefined ? compute : computeWith(device, lane, request, nowMs, counts)) + more > share * demandMax;
    const isTooMuch = claims.some(isBeyond) || (!lane.hasWork && copies > tuning.copiesMax);
    if (isTooMuch && !(isFree(device) && isOpen) && !takesAll) continue;
    const ownMs = prefillMs(lane.speed, request.inputTokens) + (lane.weights === "absent" ? lane.speed.loadMs : 0);
    const ownWaitMs = promptBacklogMs(device) + ownMs;
    const isShared = shares && lane.hasWork && ownWaitMs < tuning.promptWaitShare * request.objective.ttftMs;
    const bonus = isShared ? 10 : lane.weights === "absent" ? 0 : tuning.residentBonus;
    const risk = Math.max(0, waitMs / request.objective.ttftMs - tuning.waitShare);
    const score = demand + ownWaitMs / request.objective.ttftMs + risk - bonus;
    if (score < bestScore) [best, bestScore] = [lane, score];
  }
  return best;
}

/** Whether the request may run there, and could be there at all. */
export function canHold(device: Device, model: PoolModel, request: PoolRequest): boolean {
  return isPermitted(device, request) && isOpenTo(device, request) && hasMemory(device, model, request);
}

/** What is reserved is its tenant's, and for others what gives way at once. */
export function isOpenTo({ reservedFor }: Device, { tenant, isPreemptible }: PoolRequest): boolean {
  return reservedFor === undefined || reservedFor === tenant || isPreemptible === true;
}

export function isPermitted({ spec }: Device, { permitted }: PoolRequest): boolean {
  return permitted === undefined || permitted.has(spec.id);
}

/** For the model and the request's KV, with nothing else there but what never leaves. */
export function hasMemory(device: Device, model: PoolModel, { inputTokens, maxOutputTokens }: PoolRequest): boolean {
  const neededBytes = model.weightsBytes + (inputTokens + maxOutputTokens) * model.kvBytesPerToken;
  return neededBytes <= device.spec.memoryBytes - device.pinnedBytesBeside(model);
}

/** How long its first token takes there: prompts before it, its copy, and whoever has to end first. */
export function firstTokenMs(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  const promptsMs = promptBacklogMs(device) + prefillMs(lane.speed, request.inputTokens);
  return promptsMs + copyMs(device, lane, nowMs) + sequenceMs(device, lane);
}

/** Until its weights are there: copies come one after the other, and who has to leave may have to end first. */
function copyMs(device: Device, lane: Lane, nowMs: number): number {
  const { loading } = device;
  const underWayMs = loading === undefined ? 0 : Math.max(0, device.loadingSinceMs + loading.speed.loadMs - nowMs);
  if (lane.weights === "resident") return 0;
  if (lane === loading) return underWayMs;
  let beforeMs = 0;
  let neededBytes = lane.model.weightsBytes;
  for (const other of device.busy) {
    const isBefore = other !== lane && other.weights === "absent" && other.running.length === 0;
    if (!isBefore) continue;
    beforeMs += other.speed.loadMs;
    neededBytes += other.model.weightsBytes;
  }
  return underWayMs + beforeMs + lane.speed.loadMs + drainMs(device, neededBytes, nowMs);
}

/** Where models leave only when nothing of them runs, or are kept warm: until the first can. */
function drainMs(device: Device, neededBytes: number, nowMs: number): number {
  if (device.spec.keepsKv !== false && !device.hasWarm) return 0;
  if (idleVictims(device, neededBytes, nowMs) !== undefined) return 0;
  let leastMs = Infinity;
  for (const other of device.lanes.values()) {
    if (other.weights !== "resident" || other.isPinned) continue;
    const isBound = other.hasWork && device.spec.keepsKv === false;
    const warmMs = other.model.keepWarmMs ?? 0;
    const ms = isBound ? tokensLeft(other) * roundMs(device) + warmMs : Math.max(0, other.warmUntilMs - nowMs);
    leastMs = Math.min(leastMs, ms);
  }
  return Number.isFinite(leastMs) ? leastMs : 0;
}

/** Where it may run only so many sequences at once: until as many have ended as are before it. */
function sequenceMs(device: Device, lane: Lane): number {
  const most = lane.model.sequencesMax;
  if (most === undefined || lane.sequences < most) return 0;
  return (lane.sequences - most + 1) * (lane.answers.meanTokens / most) * roundMs(device);
}

/** One step of each model that runs there. */
function roundMs(device: Device): number {
  let durationMs = 0;
  for (const lane of device.busy) if (lane.running.length > 0) durationMs += lane.stepMs();
  return durationMs;
}

/** With nothing else to do it takes what it is given: there is nobody whom that endangers. */
function isFree(device: Device): boolean {
  return device.busy.size === 0;
}

/** Prompts that are not computed yet: those that wait, those of the turn under way, and what is left of those that have begun. */
function promptBacklogMs({ busy, turn }: Device): number {
  let backlogMs = 0;
  for (const { waiting, running, speed } of busy) {
    for (const { contextTokens } of waiting) backlogMs += prefillMs(speed, contextTokens);
    for (const { promptLeftMs } of running) backlogMs += promptLeftMs;
  }
  if (turn?.kind !== "prefill") return backlogMs;
  for (const { contextTokens } of turn.sequences) backlogMs += prefillMs(turn.lane.speed, contextTokens);
  return backlogMs;
}

/**
 * The share of a device's time that may be promised there: more than all of it as long as those that run are ahead of their
 * deadlines, because they can wait; less where they are not, or all of them would be late together.
 */
function demandMaxOf({ device, answers }: Lane, request: PoolRequest, nowMs: number, tuning: Tuning): number {
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

/** The compute of what counts alone. */
function computeWith(
  device: Device,
  lane: Lane,
  request: PoolRequest,
  nowMs: number,
  counts: (other: Lane) => boolean,
): number {
  let compute = ownCompute(device, lane, request, nowMs);
  for (const other of device.busy) if (other !== lane && counts(other)) compute += laneDemand(other, 0, other.tpotMs);
  return compute;
}

function ownCompute(device: Device, lane: Lane, request: PoolRequest, nowMs: number): number {
  return device.promptShare(nowMs) + laneDemand(lane, 1, Math.min(lane.tpotMs, request.objective.tpotMs));
}

function demandWith(device: Device, lane: Lane, request: PoolRequest, nowMs: number): Demand {
  let compute = ownCompute(device, lane, request, nowMs);
  let weightsBytes = lane.model.weightsBytes;
  let copiesMs = lane.speed.loadMs;
  let kvBytes = device.kvBytes + lane.waitingBytes + lane.kvBytesOf(request.inputTokens, request.maxOutputTokens);
  for (const other of device.busy) {
    if (other === lane) continue;
    compute += laneDemand(other, 0, other.tpotMs);
    weightsBytes += other.model.weightsBytes;
    copiesMs += other.speed.loadMs;
    kvBytes += other.waitingBytes;
  }
  const roomBytes = device.spec.memoryBytes - kvBytes;
  if (weightsBytes <= roomBytes) return { compute, copies: 0 };
  const models = device.busy.size + (device.busy.has(lane) ? 0 : 1);
  const beyond = Math.min(1, 1 - (roomBytes - lane.model.weightsBytes) / weightsBytes);
  const copies = (copiesMs * beyond * models) / Math.max(1, models - 1) / request.objective.ttftMs;
  // Without room for two models nothing runs while one is copied.
  return { compute: roomBytes < 2 * lane.model.weightsBytes ? compute + copies : compute, copies };
}

function laneDemand(lane: Lane, more: number, tpotMs: number): number {
  return stepMs(lane.speed, lane.sequences + more, lane.contextTokens) / tpotMs;
}
