import type { Effect, Fleet, WorkEvent, Scheduler } from "../../pool/index.ts";
import { Board, type Job, type Residence, type Station } from "./board.ts";
import { idleOf, makeRoom, makeRoomForPrompts, runOrGiveWay } from "./room.ts";
import { defaultTurnRules, nextTurn } from "./turns.ts";

export interface LruSwapOptions {
  /** Requests of one model that run at once: `OLLAMA_NUM_PARALLEL`. */
  readonly parallel: number;
  /** Models loaded at once in the fleet: `OLLAMA_MAX_LOADED_MODELS`, which Ollama sets to three for each device. */
  readonly loadedMax: number;
}

/** As many models as fit, which is kinder than Ollama's own default. */
export const defaultLruSwapOptions: LruSwapOptions = { parallel: 4, loadedMax: Infinity };

/**
 * Ollama (server/sched.go): a request for a loaded model goes to it, and waits there if enough of them run. Others wait
 * in one queue, first come first served: its first gets its model loaded where most memory is free; where it is not
 * enough, the least recently used idle models leave; where none is idle, it waits, and so do those behind it.
 *
 * The loaded models run side by side. *Inferred*: which one leaves is decided over the whole fleet, and devices load
 * beside one another. Ollama keeps a model for 5 minutes; here it stays until its room is needed.
 */
export class LruSwap implements Scheduler {
  readonly #options: LruSwapOptions;
  readonly #board: Board;
  #queue: Job[] = [];

  constructor(fleet: Fleet, options: Partial<LruSwapOptions> = {}) {
    this.#options = { ...defaultLruSwapOptions, ...options };
    const rules = { ...defaultTurnRules, batchMax: this.#options.parallel };
    this.#board = new Board(fleet, (station, nowMs) => nextTurn(station, nowMs, rules));
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    switch (heard.kind) {
      case "arrived":
        this.#queue.push(heard.job);
        this.#dispatch();
        break;
      case "loaded":
        this.#run(heard.station);
        this.#dispatch();
        break;
      case "turnEnded":
        this.#run(heard.station);
        if (heard.finished.length > 0) this.#dispatch();
        break;
      case "refused":
      case "woken":
        break;
    }
    return this.#board.take();
  }

  #run(station: Station): void {
    makeRoomForPrompts(this.#board, station);
    this.#queue.unshift(...runOrGiveWay(this.#board, station));
  }

  /** Those of loaded models at once; of the others the first, and those behind it once it has found a place. */
  #dispatch(): void {
    let isBlocked = false;
    for (let at = 0; at < this.#queue.length;) {
      const job = this.#queue[at]!;
      const residence = this.#loaded(job) ?? (isBlocked ? undefined : this.#load(job));
      if (residence === undefined) {
        isBlocked = true;
        at++;
      } else {
        this.#queue.splice(at, 1);
        const left = this.#queue.length;
        this.#board.enqueue(job, residence);
        this.#run(residence.station);
        // Requests that had to give way are in front now.
        at += this.#queue.length - left;
      }
    }
  }

  #loaded(job: Job): Residence | undefined {
    for (const station of this.#board.stations) {
      const residence = station.residences.get(job.request.model);
      if (residence !== undefined && residence.model.weightsBytes + job.kvBytes <= station.capacityBytes)
        return residence;
    }
    return undefined;
  }

  #load(job: Job): Residence | undefined {
    const model = this.#board.models.get(job.request.model)!;
    const neededBytes = model.weightsBytes + job.kvBytes;
    const isFull = this.#loadedModels() >= this.#options.loadedMax;
    const station = (isFull ? undefined : this.#roomiest(neededBytes)) ?? this.#leastRecent(neededBytes, isFull);
    if (station === undefined) return undefined;
    makeRoom(this.#board, station, neededBytes);
    if (isFull && this.#loadedModels() >= this.#options.loadedMax) {
      const [idle] = idleOf(station);
      if (idle !== undefined) this.#board.evict(idle);
    }
    return this.#board.load(station, model);
  }

  #loadedModels(): number {
    let models = 0;
    for (const { residences } of this.#board.stations) models += residences.size;
    return models;
  }

  #roomiest(neededBytes: number): Station | undefined {
    let best: Station | undefined;
    for (const station of this.#board.stations) {
      if (station.loading !== undefined || station.freeBytes < neededBytes) continue;
      if (best === undefined || station.freeBytes > best.freeBytes) best = station;
    }
    return best;
  }

  /** The device of the least recently used idle model, of those where the idle ones make enough room. */
  #leastRecent(neededBytes: number, isFull: boolean): Station | undefined {
    let best: Station | undefined;
    let bestMs = Infinity;
    for (const station of this.#board.stations) {
      if (station.loading !== undefined) continue;
      const idle = idleOf(station);
      const [first] = idle;
      if (first === undefined || first.lastUsedMs >= bestMs) continue;
      let freeBytes = station.freeBytes;
      for (const { model } of idle) freeBytes += model.weightsBytes;
      if (freeBytes < neededBytes && !(isFull && station.freeBytes >= neededBytes)) continue;
      [best, bestMs] = [station, first.lastUsedMs];
    }
    return best;
  }
}
