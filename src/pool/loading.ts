import type { Device, Lane, Sequence } from "./state.ts";
import { stayMs } from "./rotation.ts";
import type { Tuning } from "./tuning.ts";
import { givesWayTo, holderAtWork } from "./giving-way.ts";
import { owedStartMs } from "./redress.ts";
import { drainMs } from "./waits.ts";
import { busyVictims, byPatience, canWaitLonger, idleVictims, nextToDrain, startDue, toHold } from "./victims.ts";

/** A device that waits for models that are kept warm looks again after so long at the latest. */
const longestLookMs = 60_000;
/** When a device that can do nothing at all looks again. */
const patienceMs = 1_000;

/** A copy that should begin, and whose weights make room for it. */
export interface Load {
  readonly lane: Lane;
  readonly evicted: readonly Lane[];
}

/** Who should begin nothing more, so that it can leave; and when to ask again at the latest. */
export interface Drain {
  readonly drained: readonly Lane[];
  readonly wakeMs: number;
}

/**
 * Rule 4 (see pool.ts). Which model is copied next: the one whose work is due first, at once where that takes the place
 * of idle ones only, else as late as its deadlines allow. `wakeMs`: when to ask again.
 */
export function chooseLoad(
  device: Device,
  nowMs: number,
  tuning: Tuning,
): Load | Drain | { readonly wakeMs: number } | undefined {
  if (device.loading !== undefined) return undefined;
  const absent = absentOf(device, nowMs);
  const [first] = absent;
  if (first === undefined) return retryOf(device, nowMs);
  const { lane } = first;
  const idle = idleVictims(device, lane.model.weightsBytes, nowMs, lane.restMs);
  if (idle !== undefined) return { lane, evicted: idle };
  const owedMs = owedStartMs(lane);
  const latestMs = latestStart(absent) - tuning.loadMarginMs - drainMs(device, lane.model.weightsBytes, nowMs);
  if (owedMs === undefined && latestMs > nowMs && !tuning.without.includes("lateCopies")) return { wakeMs: latestMs };
  const backMs = nowMs + lane.speed.loadMs + stayMs(lane, tuning);
  // Whoever was turned away before waits for others as long as it still comes in time.
  const mayBeLate = owedMs !== undefined && owedMs <= backMs;
  const untilMs = mayBeLate ? -Infinity : backMs;
  const evicted = busyVictims(device, lane, lane.model.weightsBytes, nowMs, untilMs, lane.isOwed);
  if (evicted !== undefined) return { lane, evicted };
  const drained = nextToDrain(device, lane) ?? (owedMs === undefined ? [] : toHold(device, lane));
  return { drained, wakeMs: nextChangeMs(device, nowMs, tuning) };
}

/**
 * The same for a prompt whose model is there, but whose KV has no room: models that can wait leave for it, as late as its
 * deadline allows.
 */
export function chooseRoom(
  device: Device,
  nowMs: number,
  tuning: Tuning,
): { readonly evicted: readonly Lane[] } | { readonly wakeMs: number } | undefined {
  let blocked: Lane | undefined;
  for (const lane of device.busy) {
    const isBlocked =
      lane.weights === "resident" &&
      lane.waiting.first !== undefined &&
      lane.freePlacesFor(lane.waiting.first, nowMs) > 0 &&
      !lane.isDraining &&
      lane.firstPromptBytes > device.freeBytes;
    if (isBlocked && (blocked === undefined || comesBefore(lane, blocked))) blocked = lane;
  }
  if (blocked === undefined) return undefined;
  const latestMs = startDue(blocked) - tuning.loadMarginMs;
  if (latestMs > nowMs) return { wakeMs: latestMs };
  const evicted = busyVictims(device, blocked, blocked.firstPromptBytes, nowMs, nowMs + tuning.maxTurnMs, true);
  return evicted === undefined ? { wakeMs: nowMs + tuning.minTurnMs } : { evicted };
}

/** Whose first prompt comes first. */
function comesBefore(lane: Lane, other: Lane): boolean {
  if (lane.givesWay !== other.givesWay) return other.givesWay;
  return lane.waiting.first!.dueMs < other.waiting.first!.dueMs;
}

export interface Way extends Load {
  /** Whose KV is given up. */
  readonly dropped: readonly Sequence[];
}

/**
 * Where a device can do nothing although it has work: whose turn it has to be, and who leaves for it, however long each
 * could wait. First whoever has KV here but no weights, because that KV goes once it is served; then who is due first.
 */
export function unblock(device: Device, nowMs: number): Way | { readonly wakeMs: number } | undefined {
  const holder = holderAtWork(device);
  const lanes = [...device.busy].filter(
    (lane) => lane.notBeforeMs <= nowMs && (holder === undefined || !givesWayTo(lane, holder)),
  );
  lanes.sort((a, b) => Number(a.givesWay) - Number(b.givesWay) || startDue(a) - startDue(b));
  const lane = lanes.find(({ weights, running }) => weights === "absent" && running.length > 0) ?? lanes[0];
  if (lane === undefined) return retryOf(device, nowMs);
  const weightsBytes = lane.weights === "absent" ? lane.model.weightsBytes : 0;
  const neededBytes = weightsBytes + (lane.running.length > 0 ? 0 : lane.firstPromptBytes);
  const isOwed = lane.isOwed || (lane.weights === "resident" && startDue(lane) <= nowMs);
  let freeBytes = device.freeBytes;
  const evicted: Lane[] = [];
  for (const other of byPatience(device)) {
    if (freeBytes >= neededBytes) break;
    const isIdle = !other.hasWork;
    const isWanted = isIdle && ((!isOwed && other.isKeptWarm(nowMs)) || other.lastUsedMs > nowMs - lane.restMs);
    if (other === lane || isWanted) continue;
    evicted.push(other);
    freeBytes += other.model.weightsBytes;
  }
  const dropped: Sequence[] = [];
  const others = [...device.busy].filter((other) => other !== lane).flatMap(({ running }) => running);
  for (const sequence of others.sort(canWaitLonger)) {
    if (freeBytes >= neededBytes) break;
    dropped.push(sequence);
    freeBytes += sequence.lane!.heldBytesOf(sequence);
  }
  // What never leaves, or not yet, has the room.
  if (freeBytes < neededBytes) return { wakeMs: nowMs + patienceMs };
  return { lane, evicted, dropped };
}

/** When somebody may have become able to leave: soon where anything runs, else when the first is kept warm no longer. */
function nextChangeMs(device: Device, nowMs: number, tuning: Tuning): number {
  let warmMs = nowMs + longestLookMs;
  for (const lane of device.lanes.values()) {
    if (lane.weights !== "resident") continue;
    if (lane.hasWork) return nowMs + tuning.minTurnMs;
    if (lane.isKeptWarm(nowMs)) warmMs = Math.min(warmMs, lane.warmUntilMs);
  }
  return warmMs;
}

interface Absent {
  readonly lane: Lane;
  /** When its first token, or prompt, has to begin at the latest. */
  readonly dueMs: number;
}

function absentOf(device: Device, nowMs: number): Absent[] {
  const absent: Absent[] = [];
  const holder = holderAtWork(device);
  for (const lane of device.busy) {
    if (holder !== undefined && givesWayTo(lane, holder)) continue;
    const isMeant = lane.weights === "absent" && lane.notBeforeMs <= nowMs && mayTry(lane, nowMs);
    if (isMeant) absent.push({ lane, dueMs: startDue(lane) });
  }
  return absent.sort((a, b) => Number(a.lane.givesWay) - Number(b.lane.givesWay) || a.dueMs - b.dueMs);
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

/** A model whose copy has failed takes the place of none that was used while it rested: it may fail again. */
function mayTry({ device, model, failures, restMs }: Lane, nowMs: number): boolean {
  return failures === 0 || idleVictims(device, model.weightsBytes, nowMs, restMs) !== undefined;
}

/** When a copy that has failed may be tried again; undefined where none waits for that. */
function retryOf(device: Device, nowMs: number): { readonly wakeMs: number } | undefined {
  let wakeMs = Infinity;
  for (const lane of device.busy) {
    if (lane.weights !== "absent") continue;
    const atMs = mayTry(lane, nowMs) ? lane.notBeforeMs : Math.max(lane.notBeforeMs, nowMs + patienceMs);
    if (atMs > nowMs) wakeMs = Math.min(wakeMs, atMs);
  }
  return Number.isFinite(wakeMs) ? { wakeMs } : undefined;
}
