import {
  type Effect,
  type Fleet,
  type WorkEvent,
  type PoolModel,
  prefillMs,
  type Scheduler,
} from "../../pool/index.ts";
import { Board, type Job, type Residence, type Station, type Plan } from "./board.ts";
import { orderByMooreHodgson } from "./moore-hodgson.ts";
import { idleOf, makeRoom, makeRoomForPrompts, runOrGiveWay } from "./room.ts";
import { decodeOf, defaultTurnRules } from "./turns.ts";
import { Window } from "./window.ts";

export interface PrismPaperOptions {
  /** How often models are placed anew. */
  readonly intervalMs: number;
  /** Over which a model's tokens a second are averaged. */
  readonly windowMs: number;
  /** A model without requests for so long is evicted. */
  readonly idleMs: number;
  /** A model moves where that lowers the pressure it finds by more than this share. */
  readonly gainMin: number;
  /** Whether a model that needs room for its weights takes it from idle ones before `idleMs` is over. */
  readonly evictsForRoom: boolean;
}

/** The window and the idle time are the paper's, the others *inferred*: the interval is that of the released code. */
export const defaultPrismPaperOptions: PrismPaperOptions = {
  intervalMs: 5_000,
  windowMs: 60_000,
  idleMs: 45_000,
  gainMin: 0.2,
  evictsForRoom: true,
};

/**
 * Prism as its paper has it (OSDI'26, arXiv 2505.04021). Over the devices: a model weighs w = tokens a second x KV bytes
 * a token / TPOT; the models, by falling w, go where the pressure W / S is lowest (W: weights w there, S: memory left
 * beside the models), or stay where the gain is small. The source serves until the target is ready. On a device: the
 * prompts of all its models are computed in the order in which fewest are late (Moore and Hodgson).
 *
 * *Inferred*: prompts come before decode steps, as in vLLM; models that decode at the same time share the device in
 * equal slices; a target must have the memory at once; sequences that run when the target is ready are finished by the
 * source; a model that is needed and finds no room takes it from idle ones, the longest unused first (the paper evicts
 * after 45 s only, so that where models are more than fit nearly all requests for the others would be late).
 */
export class PrismPaper implements Scheduler {
  readonly #options: PrismPaperOptions;
  readonly #board: Board;
  readonly #tokens = new Map<string, Window>();
  readonly #tpotMs = new Map<string, number>();
  /** Requests whose model is nowhere. */
  #queue: Job[] = [];
  /** Sources, from when their target is being loaded. */
  readonly #sources = new Map<string, Residence>();
  /** Sources that finish what runs there: the target is ready. */
  readonly #leaving = new Set<Residence>();
  #jobs = 0;
  #placeMs = -Infinity;
  #wakeMs = -Infinity;

  constructor(fleet: Fleet, options: Partial<PrismPaperOptions> = {}) {
    this.#options = { ...defaultPrismPaperOptions, ...options };
    this.#board = new Board(fleet, nextTurnByDeadline);
    for (const model of fleet.models) this.#tokens.set(model.id, new Window(this.#options.windowMs));
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    switch (heard.kind) {
      case "arrived":
        this.#jobs++;
        this.#tpotMs.set(heard.model.id, heard.job.request.objective.tpotMs);
        this.#arrived(heard.job);
        break;
      case "loaded":
        this.#takeOver(heard.residence);
        this.#run(heard.station);
        this.#activateAll();
        break;
      case "turnEnded":
        this.#jobs -= heard.finished.length;
        this.#count(heard.residence, heard.jobs, heard.isPrefill ? undefined : heard.steps);
        this.#leave(heard.residence);
        this.#run(heard.station);
        if (heard.finished.length > 0) this.#activateAll();
        break;
      case "refused":
      case "woken":
        break;
    }
    this.#tick();
    return this.#board.take();
  }

  #arrived(job: Job): void {
    const residence = this.#serving(job.request.model);
    if (residence === undefined) {
      this.#queue.push(job);
      this.#activateAll();
    } else this.#enqueue(job, residence);
  }

  #enqueue(job: Job, residence: Residence): void {
    const { station, model } = residence;
    if (model.weightsBytes + job.kvBytes > station.capacityBytes) {
      // Devices differ, and it is on one that could never hold this request.
      this.#board.refuse(job, "model_too_large");
      this.#jobs--;
      return;
    }
    this.#board.enqueue(job, residence);
    this.#run(station);
  }

  /** Where new requests of the model go: the source while there is one. */
  #serving(modelId: string): Residence | undefined {
    const source = this.#sources.get(modelId);
    if (source !== undefined && isPresent(source)) return source;
    for (const station of this.#board.stations) {
      const residence = station.residences.get(modelId);
      if (residence !== undefined && !this.#leaving.has(residence)) return residence;
    }
    return undefined;
  }

  #run(station: Station): void {
    if (this.#options.evictsForRoom) makeRoomForPrompts(this.#board, station);
    const displaced = runOrGiveWay(this.#board, station);
    if (displaced.length === 0) return;
    for (const [modelId, source] of this.#sources) if (!isPresent(source)) this.#sources.delete(modelId);
    this.#queue.unshift(...displaced);
  }

  /** The target of a move is ready. */
  #takeOver(target: Residence): void {
    const source = this.#sources.get(target.model.id);
    if (source === undefined || source.station === target.station) return;
    this.#sources.delete(target.model.id);
    if (!isPresent(source)) return;
    this.#leaving.add(source);
    const { waiting } = source;
    source.waiting = [];
    for (const job of waiting) this.#board.enqueue(job, target);
    this.#board.interrupt(source.station);
    this.#leave(source);
  }

  #leave(source: Residence): void {
    if (!this.#leaving.has(source) || source.jobs > 0) return;
    this.#leaving.delete(source);
    this.#board.evict(source);
  }

  #count(residence: Residence, jobs: readonly Job[], steps: number | undefined): void {
    let tokens = 0;
    for (const { request } of jobs) tokens += steps ?? request.inputTokens;
    this.#tokens.get(residence.model.id)!.add(tokens, this.#board.nowMs);
  }

  /** Models with requests are activated at once, if there is room. */
  #activateAll(): void {
    for (let at = 0; at < this.#queue.length;) {
      const job = this.#queue[at]!;
      const residence = this.#serving(job.request.model) ?? this.#activate(job);
      if (residence === undefined) at++;
      else {
        this.#queue.splice(at, 1);
        const left = this.#queue.length;
        this.#enqueue(job, residence);
        // Requests that had to give way are in front now.
        at += this.#queue.length - left;
      }
    }
  }

  #activate(job: Job): Residence | undefined {
    const model = this.#board.models.get(job.request.model)!;
    const neededBytes = model.weightsBytes + job.kvBytes;
    let best: Station | undefined;
    let bestPressure = Infinity;
    for (const station of this.#board.stations) {
      if (station.loading !== undefined || station.residences.has(model.id)) continue;
      if (this.#freeBytes(station) < neededBytes) continue;
      const pressure = this.#pressure(station) + (station.freeBytes < neededBytes ? 1e30 : 0);
      if (pressure < bestPressure) [best, bestPressure] = [station, pressure];
    }
    if (best === undefined) return undefined;
    makeRoom(this.#board, best, neededBytes);
    return this.#board.load(best, model);
  }

  /** With what idle models would leave, where they may be made to. */
  #freeBytes(station: Station): number {
    let { freeBytes } = station;
    if (this.#options.evictsForRoom) for (const { model } of idleOf(station)) freeBytes += model.weightsBytes;
    return freeBytes;
  }

  #weight(model: PoolModel): number {
    const tokensPerSecond = (this.#tokens.get(model.id)!.sum(this.#board.nowMs) * 1_000) / this.#options.windowMs;
    return (tokensPerSecond * model.kvBytesPerToken) / (this.#tpotMs.get(model.id) ?? Infinity);
  }

  #pressure(station: Station): number {
    let weight = 0;
    for (const { model } of station.residences.values()) weight += this.#weight(model);
    return weight / Math.max(1, station.capacityBytes - station.weightsBytes);
  }

  #tick(): void {
    const { nowMs } = this.#board;
    if (nowMs >= this.#placeMs) {
      this.#placeMs = nowMs + this.#options.intervalMs;
      this.#evictIdle();
      this.#place();
      this.#activateAll();
    }
    if (this.#jobs > 0 && this.#wakeMs <= nowMs) {
      this.#wakeMs = this.#placeMs;
      this.#board.wakeAt(this.#wakeMs);
    }
  }

  #evictIdle(): void {
    for (const station of this.#board.stations) {
      for (const idle of idleOf(station)) {
        if (this.#board.nowMs - idle.lastUsedMs < this.#options.idleMs || this.#sources.has(idle.model.id)) continue;
        this.#board.evict(idle);
      }
    }
  }

  /** Every model anew, the heaviest first, as if the devices were empty. */
  #place(): void {
    const slots = this.#board.stations.map((station) => ({ station, weight: 0, leftBytes: station.capacityBytes }));
    const settled: { readonly residence: Residence; readonly weight: number }[] = [];
    for (const station of this.#board.stations) {
      for (const residence of station.residences.values()) {
        if (this.#leaving.has(residence) || this.#sources.get(residence.model.id) === residence) continue;
        settled.push({ residence, weight: this.#weight(residence.model) });
      }
    }
    settled.sort((a, b) => b.weight - a.weight);
    for (const { residence, weight } of settled) {
      const { model } = residence;
      const current = slots.find(({ station }) => station === residence.station)!;
      let best = current;
      for (const slot of slots) {
        if (slot !== current && (slot.leftBytes < model.weightsBytes || !canReceive(slot.station, model))) continue;
        if (pressureOf(slot) < pressureOf(best)) best = slot;
      }
      const isWorth = pressureOf(current) - pressureOf(best) > this.#options.gainMin * pressureOf(current);
      const moves = best !== current && isWorth && weight > 0 && residence.isLoaded;
      const chosen = moves ? best : current;
      if (moves) {
        this.#sources.set(model.id, residence);
        this.#board.load(best.station, model);
      }
      chosen.weight += weight;
      chosen.leftBytes -= model.weightsBytes;
    }
  }
}

/** It has not been evicted meanwhile. */
function isPresent(residence: Residence): boolean {
  return residence.station.residences.get(residence.model.id) === residence;
}

function pressureOf(slot: { readonly weight: number; readonly leftBytes: number }): number {
  return slot.weight / Math.max(1, slot.leftBytes);
}

/** Both copies are there while it moves, and one full context has to fit beside the new one. */
function canReceive(station: Station, model: PoolModel): boolean {
  const neededBytes = model.weightsBytes + model.contextTokens * model.kvBytesPerToken;
  return station.loading === undefined && !station.residences.has(model.id) && station.freeBytes >= neededBytes;
}

/** Prompts of all models in the order in which fewest are late; else the steps of who has had least time. */
function nextTurnByDeadline(station: Station, nowMs: number): Plan | undefined {
  const tasks: {
    readonly job: Job;
    readonly residence: Residence;
    readonly dueMs: number;
    readonly takesMs: number;
  }[] = [];
  let next: Residence | undefined;
  let running = 0;
  for (const residence of station.residences.values()) {
    if (!residence.isLoaded) continue;
    for (const job of residence.waiting) {
      tasks.push({ job, residence, dueMs: job.dueMs, takesMs: prefillMs(residence.speed, job.request.inputTokens) });
    }
    if (residence.running.length === 0) continue;
    running++;
    if (next === undefined || residence.servedMs < next.servedMs) next = residence;
  }
  const ordered = tasks.length > 1 ? orderByMooreHodgson(tasks, nowMs) : tasks;
  const first = ordered.find(({ job }) => job.kvBytes <= station.freeBytes);
  if (first === undefined) return next === undefined ? undefined : decodeOf(next, nowMs, running > 1, defaultTurnRules);
  const jobs: Job[] = [];
  let freeBytes = station.freeBytes;
  let tokens = 0;
  for (const { job, residence } of ordered.slice(ordered.indexOf(first))) {
    tokens += job.request.inputTokens;
    freeBytes -= job.kvBytes;
    if (residence !== first.residence || freeBytes < 0) break;
    if (jobs.length > 0 && tokens > defaultTurnRules.prefillTokensMax) break;
    jobs.push(job);
  }
  return { kind: "prefill", residence: first.residence, jobs };
}
