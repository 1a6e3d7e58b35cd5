import { prefillMs } from "./speed.ts";
import type { Device, Lane, Sequence } from "./state.ts";
import type { Tuning } from "./tuning.ts";

/** A copy that should begin, and whose weights make room for it. */
export interface Load {
  readonly lane: Lane;
  readonly evicted: readonly Lane[];
}

/**
 * Rule 4 (see pool.ts). Which model is copied next: the one whose work is due first, at once where that takes the place
 * of idle ones only, else as late as its deadlines allow. `wakeMs`: when to ask again.
 */
export function chooseLoad(
  device: Device,
  nowMs: number,
  tuning: Tuning,
): Load | { readonly wakeMs: number } | undefined {
  if (device.loading !== undefined) return undefined;
  const absent = absentOf(device);
  if (absent.length === 0) return undefined;
  const [first] = absent;
  const { lane } = first!;
  const idle = idleVictims(device, lane.model.weightsBytes);
  if (idle !== undefined) return { lane, evicted: idle };
  const latestMs = latestStart(absent) - tuning.loadMarginMs;
  if (latestMs > nowMs && !tuning.without.includes("lateCopies")) return { wakeMs: latestMs };
  const victim = busyVictim(device, lane, nowMs, first!.dueMs);
  return victim === undefined ? { wakeMs: nowMs + tuning.minTurnMs } : { lane, evicted: victim };
}

export interface Way extends Load {
  /** Whose KV is given up. */
  readonly dropped: readonly Sequence[];
}

/**
 * Where a device can do nothing although it has work: whose turn it has to be, and who leaves for it, however long each
 * could wait. First whoever has KV here but no weights, because that KV goes once it is served; then who is due first.
 */
export function unblock(device: Device, promptBytes: (lane: Lane) => number): Way | undefined {
  const lanes = [...device.busy].sort((a, b) => startDue(a) - startDue(b));
  const lane = lanes.find(({ weights, running }) => weights === "absent" && running.length > 0) ?? lanes[0];
  if (lane === undefined) return undefined;
  const weightsBytes = lane.weights === "absent" ? lane.model.weightsBytes : 0;
  const neededBytes = weightsBytes + (lane.running.length > 0 ? 0 : promptBytes(lane));
  let freeBytes = device.freeBytes;
  const evicted: Lane[] = [];
  for (const other of byPatience(device)) {
    if (freeBytes >= neededBytes) break;
    if (other === lane) continue;
    evicted.push(other);
    freeBytes += other.model.weightsBytes;
  }
  const dropped: Sequence[] = [];
  const others = lanes.filter((other) => other !== lane).flatMap(({ running }) => running);
  for (const sequence of others.sort((a, b) => b.dueMs - a.dueMs)) {
    if (freeBytes >= neededBytes) break;
    dropped.push(sequence);
    freeBytes += sequence.contextTokens * sequence.lane!.model.kvBytesPerToken;
  }
  return { lane, evicted, dropped };
}

interface Absent {
  readonly lane: Lane;
  /** When its first token, or prompt, has to begin at the latest. */
  readonly dueMs: number;
}

function absentOf(device: Device): Absent[] {
  const absent: Absent[] = [];
  for (const lane of device.busy) if (lane.weights === "absent") absent.push({ lane, dueMs: startDue(lane) });
  return absent.sort((a, b) => a.dueMs - b.dueMs);
}

export function startDue(lane: Lane): number {
  const [first] = lane.waiting;
  const promptMs = first === undefined ? Infinity : first.dueMs - prefillMs(lane.speed, first.contextTokens);
  return Math.min(promptMs, lane.dueMs);
}

/** When the first of the copies has to begin so that each is there when it is due; they come one after the other. */
function latestStart(absent: readonly Absent[]): number {
  let copiesMs = 0;
  let latestMs = Infinity;
  for (const { lane, dueMs } of absent) {
    copiesMs += lane.speed.loadMs;
    latestMs = Math.min(latestMs, dueMs - copiesMs);
  }
  return latestMs;
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

/** Those that can wait longest, if each can wait until it is copied back. */
function busyVictim(device: Device, lane: Lane, nowMs: number, dueMs: number): Lane[] | undefined {
  const victims: Lane[] = [];
  let freeBytes = device.freeBytes;
  for (const other of byPatience(device)) {
    if (freeBytes >= lane.model.weightsBytes) break;
    if (other.isFresh && other.hasWork) return undefined;
    const backMs = Math.max(dueMs, nowMs) + lane.speed.loadMs + other.speed.loadMs;
    if (other.hasWork && startDue(other) < backMs) return undefined;
    victims.push(other);
    freeBytes += other.model.weightsBytes;
  }
  return freeBytes >= lane.model.weightsBytes ? victims : undefined;
}

/** Resident models that have no turn: idle ones first, the longest unused before; then who can wait longest. */
function byPatience(device: Device): Lane[] {
  const lanes = [...device.lanes.values()].filter((lane) => lane.weights === "resident" && lane !== device.turn?.lane);
  const waitsMs = (lane: Lane): number => (lane.hasWork ? startDue(lane) : Number.MAX_VALUE);
  return lanes.sort((a, b) => waitsMs(b) - waitsMs(a) || a.lastUsedMs - b.lastUsedMs);
}
