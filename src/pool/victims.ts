import { prefillMs } from "./speed.ts";
import type { Device, Lane } from "./state.ts";

/** When the first thing that a model has to do has to begin at the latest. */
export function startDue(lane: Lane): number {
  const [first] = lane.waiting;
  const promptMs = first === undefined ? Infinity : first.dueMs - prefillMs(lane.speed, first.contextTokens);
  return Math.min(promptMs, lane.dueMs);
}

/** Models without work whose weights make enough room, the longest unused first; undefined where they do not. */
export function idleVictims(device: Device, neededBytes: number): Lane[] | undefined {
  let freeBytes = device.freeBytes;
  if (freeBytes >= neededBytes) return [];
  const idle = [...device.lanes.values()].filter((lane) => lane.weights === "resident" && !lane.hasWork);
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
 * `backMs`. Undefined where they do not make enough.
 */
export function busyVictims(device: Device, lane: Lane, neededBytes: number, backMs: number): Lane[] | undefined {
  const victims: Lane[] = [];
  let freeBytes = device.freeBytes;
  for (const other of byPatience(device)) {
    if (freeBytes >= neededBytes) break;
    if (other === lane) continue;
    if (other.hasWork && (other.isFresh || startDue(other) < backMs + other.speed.loadMs)) return undefined;
    victims.push(other);
    freeBytes += other.model.weightsBytes;
  }
  return freeBytes >= neededBytes ? victims : undefined;
}

/** Resident models that have no turn: idle ones first, the longest unused before; then who can wait longest. */
export function byPatience(device: Device): Lane[] {
  const lanes = [...device.lanes.values()].filter((lane) => lane.weights === "resident" && lane !== device.turn?.lane);
  const waitsMs = (lane: Lane): number => (lane.hasWork ? startDue(lane) : Number.MAX_VALUE);
  return lanes.sort((a, b) => waitsMs(b) - waitsMs(a) || a.lastUsedMs - b.lastUsedMs);
}
