import type { Board, Job, Residence, Station } from "./board.ts";

/** Models without work on a device, the longest unused first. */
export function idleOf(station: Station): Residence[] {
  const idle: Residence[] = [];
  for (const residence of station.residences.values()) {
    if (residence.isLoaded && residence.jobs === 0) idle.push(residence);
  }
  return idle.sort((a, b) => a.lastUsedMs - b.lastUsedMs);
}

/** Evicts idle models, the longest unused first, if that makes the room that is needed. */
export function makeRoom(board: Board, station: Station, neededBytes: number): boolean {
  if (station.freeBytes >= neededBytes) return true;
  const victims: Residence[] = [];
  let freeBytes = station.freeBytes;
  for (const idle of idleOf(station)) {
    victims.push(idle);
    freeBytes += idle.model.weightsBytes;
    if (freeBytes < neededBytes) continue;
    for (const victim of victims) board.evict(victim);
    return true;
  }
  return false;
}

/** KV that a prompt waits for may be taken by the weights of idle models: they leave. */
export function makeRoomForPrompts(board: Board, station: Station): void {
  for (const residence of station.residences.values()) {
    const [first] = residence.waiting;
    if (first !== undefined && residence.isLoaded) makeRoom(board, station, first.kvBytes);
  }
}

/**
 * The next turn, where models come and go. Several may be loaded so that none of their prompts has room, and nothing is
 * under way that would make some: then the others give way to who has waited longest. Their requests have to be placed
 * anew, and are returned.
 */
export function runOrGiveWay(board: Board, station: Station): Job[] {
  board.run(station);
  if (station.turn !== undefined || station.loading !== undefined) return [];
  const oldest = longestWaiting(station);
  if (oldest === undefined) return [];
  const displaced: Job[] = [];
  const others = [...station.residences.values()].filter((residence) => residence !== oldest);
  others.sort((a, b) => a.jobs - b.jobs || a.lastUsedMs - b.lastUsedMs);
  for (const residence of others) {
    if (oldest.waiting[0]!.kvBytes <= station.freeBytes) break;
    displaced.push(...residence.waiting);
    residence.waiting = [];
    board.evict(residence);
  }
  board.run(station);
  return displaced.sort((a, b) => a.arrivedMs - b.arrivedMs);
}

function longestWaiting(station: Station): Residence | undefined {
  let oldest: Residence | undefined;
  for (const residence of station.residences.values()) {
    const [first] = residence.waiting;
    if (first !== undefined && (oldest === undefined || first.arrivedMs < oldest.waiting[0]!.arrivedMs))
      oldest = residence;
  }
  return oldest;
}
