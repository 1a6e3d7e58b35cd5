import { prefillMs } from "./speed.ts";
import type { Device, Lane, Sequence } from "./state.ts";
import { givesWayToAll } from "./giving-way.ts";

/** When the first thing that a model has to do has to begin at the latest. */
export function startDue(lane: Lane): number {
  const { first } = lane.waiting;
  const promptMs = first === undefined ? Infinity : first.dueMs - prefillMs(lane.speed, first.contextTokens);
  return Math.min(promptMs, lane.dueMs);
}

/**
 * Models without work, and unused for so long, whose weights make enough room, the longest unused first; undefined where they
 * do not.
 */
export function idleVictims(device: Device, neededBytes: number, nowMs: number, unusedForMs = 0): Lane[] | undefined {
  let freeBytes = device.freeBytes;
  if (freeBytes >= neededBytes) return [];
  const isUnused = ({ lastUsedMs }: Lane): boolean => lastUsedMs <= nowMs - unusedForMs;
  const idle = [...device.lanes.values()].filter(
    (lane) => lane.canLeave && !lane.hasWork && !lane.isKeptWarm(nowMs) && isUnused(lane),
  );
  idle.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
  const victims: Lane[] = [];
  for (const lane of idle) {
    victims.push(lane);
    freeBytes += lane.model.weightsBytes;
    if (freeBytes >= neededBytes) return victims;
  }
  return undefined;
}

/**
 * Models that make room for `lane`: who can wait longest, if each can wait until it is copied back, when that can begin at
 * `backMs`, or has been waited for. Undefined where they do not make enough. `isOwed`: it was promised before; then also
 * those that are kept warm.
 */
export function busyVictims(
  device: Device,
  lane: Lane,
  neededBytes: number,
  nowMs: number,
  backMs: number,
  isOwed: boolean,
): Lane[] | undefined {
  const victims: Lane[] = [];
  let freeBytes = device.freeBytes;
  for (const other of byPatience(device)) {
    if (freeBytes >= neededBytes) break;
    if (other === lane || (!isOwed && !other.hasWork && other.isKeptWarm(nowMs))) continue;
    const waitsUntilMs = other.isDraining ? other.dueMs : startDue(other);
    const isBound = other.hasWork && !givesWayToAll(other, lane);
    if (isBound && (other.isFresh || waitsUntilMs < backMs + other.speed.loadMs)) return undefined;
    victims.push(other);
    freeBytes += other.model.weightsBytes;
  }
  return freeBytes >= neededBytes ? victims : undefined;
}

/**
 * Whose weights go with their KV can leave only when nothing of it runs: the one that is waited for already, else the one
 * that will have ended first, of those that have had a turn since they came. Undefined where KV stays.
 */
export function nextToDrain(device: Device, lane: Lane): readonly Lane[] | undefined {
  if (!device.setsAside) return undefined;
  let best: Lane | undefined;
  let bestTokens = Infinity;
  for (const other of device.busy) {
    if (other.isDraining) return [other];
    if (other === lane || other.weights !== "resident" || other.isFresh || other.isPinned) continue;
    const tokens = other.tokensLeft;
    if (tokens < bestTokens) [best, bestTokens] = [other, tokens];
  }
  return best === undefined ? [] : [best];
}

/**
 * Whoever has to make room for `lane` begins no more prompts: what runs is ahead of its deadlines soon, and can wait. Those
 * that can wait longest are enough.
 */
export function toHold(device: Device, lane: Lane): Lane[] {
  const held: Lane[] = [];
  let { freeBytes } = device;
  for (const other of byPatience(device)) {
    if (freeBytes >= lane.model.weightsBytes) break;
    if (other === lane) continue;
    held.push(other);
    freeBytes += other.model.weightsBytes;
  }
  return held;
}

/** Which of two sequences gives its KV up first: what gives way, then who can wait longest. */
export function canWaitLonger(a: Sequence, b: Sequence): number {
  const givesWay = ({ request }: Sequence): number => Number(request.isPreemptible === true);
  return givesWay(b) - givesWay(a) || b.dueMs - a.dueMs;
}

/** Beyond any time: in front of all that does not give way. */
const yieldingMs = 1e15;

/** Resident models that can leave and have no turn: idle ones first, the longest unused before; then what gives way, and who can wait longest. */
export function byPatience(device: Device): Lane[] {
  const lanes = [...device.lanes.values()].filter((lane) => lane.canLeave && lane !== device.turn?.lane);
  const waitsMs = (lane: Lane): number => {
    if (!lane.hasWork || lane.isDraining) return Number.MAX_VALUE;
    return lane.givesWay ? yieldingMs + startDue(lane) : startDue(lane);
  };
  return lanes.sort((a, b) => waitsMs(b) - waitsMs(a) || a.lastUsedMs - b.lastUsedMs);
}
