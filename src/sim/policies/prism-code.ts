import type { Effect, Fleet, WorkEvent, PoolModel, Scheduler } from "../../pool/index.ts";
import { Board, type Job, type Residence, type Station } from "./board.ts";
import { fewerUnstablePairs, type Load, type Move } from "./prism-moves.ts";
import { idleOf, runOrGiveWay } from "./room.ts";
import { defaultTurnRules, nextTurn } from "./turns.ts";
import { Window } from "./window.ts";

export interface PrismCodeOptions {
  readonly intervalMs: number;
  readonly idleMs: number;
  /** Over which a model's requests in flight are averaged. */
  readonly windowMs: number;
  /** Two devices are out of balance where memory for each request differs by more than this factor. */
  readonly ratioMax: number;
  /** Engines on one device. */
  readonly modelsMax: number;
}

/** All from the released code. */
export const defaultPrismCodeOptions: PrismCodeOptions = {
  intervalMs: 5_000,
  idleMs: 50_000,
  windowMs: 30_000,
  ratioMax: 15,
  modelsMax: 4,
};

/** Devices whose free memory differs by no more are taken for equal. */
const memoryClassBytes = 5e9;

/**
 * Prism as its authors released it (github.com/Multi-LLM/prism-research, python/sglang/multi_model/scheduling,
 * policy/simple_global.py and gpu/request_queue.py). Every 5 s, from the first request on: models that had no request
 * for 50 s are evicted; one model moves if that leaves fewer pairs of devices out of balance; models that are nowhere
 * and have requests are activated, those with the largest share of requests past their first token's time first, where
 * most memory is free. Nothing of that happens in between: a request for a model that is nowhere waits for the round.
 * On a device, requests of a model go by arrival + TTFT - a guess of their prompt's time.
 *
 * *Inferred*: no model is loaded at the beginning; engines on one device, which the code leaves to the driver, take equal
 * slices of time; loads on one device come one after the other; a model that moves finishes at the source what runs
 * there, and its waiting requests wait for the target, as in the code. Where none of a device's prompts has room for its
 * KV, idle models and then waiting ones give way, since the code relies on engines that grow and shrink.
 */
export class PrismCode implements Scheduler {
  readonly #options: PrismCodeOptions;
  readonly #board: Board;
  readonly #inFlight = new Map<string, Window>();
  readonly #lastArrivalMs = new Map<string, number>();
  /** Requests whose model is nowhere. */
  #queue: Job[] = [];
  /** Loads that were decided and wait for the link of their device. */
  readonly #planned = new Map<Station, PoolModel[]>();
  /** They finish what runs there, and then go. */
  readonly #leaving = new Set<Residence>();
  #jobs = 0;
  #firstMs: number | undefined;
  #roundMs = -Infinity;

  constructor(fleet: Fleet, options: Partial<PrismCodeOptions> = {}) {
    this.#options = { ...defaultPrismCodeOptions, ...options };
    this.#board = new Board(fleet, (station, nowMs) => nextTurn(station, nowMs, defaultTurnRules));
    for (const model of fleet.models) this.#inFlight.set(model.id, new Window(this.#options.windowMs));
    for (const station of this.#board.stations) this.#planned.set(station, []);
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    switch (heard.kind) {
      case "arrived":
        this.#jobs++;
        this.#lastArrivalMs.set(heard.model.id, nowMs);
        this.#arrived(heard.job);
        break;
      case "loaded":
        this.#startLoad(heard.station);
        this.#run(heard.station);
        break;
      case "turnEnded":
        this.#jobs -= heard.finished.length;
        this.#leave(heard.residence);
        this.#startLoad(heard.station);
        this.#run(heard.station);
        break;
      case "refused":
      case "woken":
        break;
    }
    this.#tick();
    return this.#board.take();
  }

  #arrived(job: Job): void {
    const residence = this.#activeOf(job.request.model);
    if (residence === undefined) this.#queue.push(job);
    else {
      this.#enqueue(job, residence);
      this.#run(residence.station);
    }
  }

  #enqueue(job: Job, residence: Residence): void {
    if (residence.model.weightsBytes + job.kvBytes > residence.station.capacityBytes) {
      // Devices differ, and it is on one that could never hold this request.
      this.#board.refuse(job, "model_too_large");
      this.#jobs--;
      return;
    }
    this.#board.enqueue(job, residence);
    residence.waiting.sort((a, b) => keyMs(a) - keyMs(b));
  }

  #activeOf(modelId: string): Residence | undefined {
    for (const station of this.#board.stations) {
      const residence = station.residences.get(modelId);
      if (residence !== undefined && !this.#leaving.has(residence)) return residence;
    }
    return undefined;
  }

  #run(station: Station): void {
    this.#queue.push(...runOrGiveWay(this.#board, station));
  }

  #leave(source: Residence): void {
    if (!this.#leaving.has(source) || source.jobs > 0) return;
    this.#leaving.delete(source);
    this.#board.evict(source);
  }

  /** Rounds are 5 s apart. While there is nothing to serve none is needed. */
  #tick(): void {
    if (this.#jobs === 0) return;
    const { nowMs } = this.#board;
    const { intervalMs } = this.#options;
    this.#firstMs ??= nowMs;
    if (nowMs === this.#firstMs || nowMs === this.#roundMs) this.#round();
    if (nowMs < this.#roundMs) return;
    this.#roundMs = this.#firstMs + (Math.floor((nowMs - this.#firstMs) / intervalMs + 1e-9) + 1) * intervalMs;
    this.#board.wakeAt(this.#roundMs);
  }

  #round(): void {
    const waiting = this.#sample();
    this.#evictIdle();
    const freeBytes = new Map(this.#board.stations.map((station) => [station, this.#freeBytes(station)]));
    const move = this.#move(freeBytes);
    if (move !== undefined) freeBytes.set(move.to, freeBytes.get(move.to)! - move.residence.model.weightsBytes);
    const activated = this.#activations(waiting, freeBytes);
    if (move !== undefined) this.#begin(move);
    for (const { station, model } of activated) this.#planned.get(station)!.push(model);
    for (const station of this.#board.stations) this.#startLoad(station);
  }

  /** Requests in flight, model by model; returned are those of models that are nowhere. */
  #sample(): Map<string, Job[]> {
    const waiting = new Map<string, Job[]>();
    for (const job of this.#queue) {
      const jobs = waiting.get(job.request.model);
      if (jobs === undefined) waiting.set(job.request.model, [job]);
      else jobs.push(job);
    }
    const counts = new Map<string, number>();
    for (const [modelId, jobs] of waiting) counts.set(modelId, jobs.length);
    for (const station of this.#board.stations) {
      for (const [modelId, { jobs }] of station.residences) counts.set(modelId, (counts.get(modelId) ?? 0) + jobs);
    }
    for (const [modelId, window] of this.#inFlight) window.add(counts.get(modelId) ?? 0, this.#board.nowMs);
    return waiting;
  }

  #evictIdle(): void {
    for (const station of this.#board.stations) {
      for (const idle of idleOf(station)) {
        const sinceMs = this.#lastArrivalMs.get(idle.model.id) ?? this.#firstMs!;
        if (this.#board.nowMs - sinceMs > this.#options.idleMs) this.#board.evict(idle);
      }
    }
  }

  #freeBytes(station: Station): number {
    let { freeBytes } = station;
    for (const model of this.#planned.get(station)!) freeBytes -= model.weightsBytes;
    return freeBytes;
  }

  #move(freeBytes: ReadonlyMap<Station, number>): Move | undefined {
    const loads: Load[] = this.#board.stations.map((station) => {
      const residences = [...station.residences.values()].filter((residence) => !this.#leaving.has(residence));
      return { station, freeBytes: freeBytes.get(station)!, residences };
    });
    const meanOf = (model: PoolModel): number => this.#inFlight.get(model.id)!.mean(this.#board.nowMs);
    const move = fewerUnstablePairs(loads, meanOf, this.#options.ratioMax);
    if (move === undefined || this.#models(move.to) >= this.#options.modelsMax) return undefined;
    return move.residence.isLoaded && !move.to.residences.has(move.residence.model.id) ? move : undefined;
  }

  #models(station: Station): number {
    return station.residences.size + this.#planned.get(station)!.length;
  }

  /** Most violated first; each on the device with most free memory, of equals where requests have most time left. */
  #activations(waiting: ReadonlyMap<string, readonly Job[]>, freeBytes: Map<Station, number>): Place[] {
    const { nowMs } = this.#board;
    const planned = new Set([...this.#planned.values()].flat().map(({ id }) => id));
    const models = [...waiting.keys()].filter((modelId) => !planned.has(modelId));
    const violated = (modelId: string): number => {
      const jobs = waiting.get(modelId)!;
      return jobs.filter(({ dueMs }) => dueMs <= nowMs).length / jobs.length;
    };
    models.sort((a, b) => violated(b) - violated(a));
    const classes = memoryClasses(freeBytes);
    const places: Place[] = [];
    for (const modelId of models) {
      const model = this.#board.models.get(modelId)!;
      const [job] = waiting.get(modelId)!;
      const station = chooseStation(classes, freeBytes, model.weightsBytes + job!.kvBytes, nowMs);
      if (station === undefined) continue;
      freeBytes.set(station, freeBytes.get(station)! - model.weightsBytes);
      const placed = places.filter((place) => place.station === station).length;
      // No engine is free there: the activation fails, and is tried again with the next round.
      if (this.#models(station) + placed >= this.#options.modelsMax) continue;
      places.push({ station, model });
    }
    return places;
  }

  #begin({ residence, to }: Move): void {
    const { waiting } = residence;
    residence.waiting = [];
    this.#leaving.add(residence);
    this.#board.interrupt(residence.station);
    this.#queue.push(...waiting);
    this.#planned.get(to)!.push(residence.model);
    this.#leave(residence);
  }

  /** The next load that was decided for a device begins; one that has no room any more is given up. */
  #startLoad(station: Station): void {
    const planned = this.#planned.get(station)!;
    while (station.loading === undefined && planned.length > 0) {
      const model = planned.shift()!;
      if (station.residences.has(model.id) || station.freeBytes < model.weightsBytes) continue;
      const residence = this.#board.load(station, model);
      const jobs = this.#queue.filter(({ request }) => request.model === model.id);
      this.#queue = this.#queue.filter(({ request }) => request.model !== model.id);
      for (const job of jobs) this.#enqueue(job, residence);
    }
  }
}

interface Place {
  readonly station: Station;
  readonly model: PoolModel;
}

/** gpu/request_queue.py: half a second for 1,024 tokens of prompt, at least 0.2 s and at most 2 s. */
function keyMs(job: Job): number {
  return job.dueMs - Math.min(2_000, Math.max(200, (job.request.inputTokens * 500) / 1_024));
}

function memoryClasses(freeBytes: ReadonlyMap<Station, number>): Station[][] {
  const classes: Station[][] = [];
  let mostBytes = Infinity;
  for (const [station, bytes] of [...freeBytes].sort(([, a], [, b]) => b - a)) {
    if (mostBytes - bytes <= memoryClassBytes) classes.at(-1)!.push(station);
    else {
      classes.push([station]);
      mostBytes = bytes;
    }
  }
  return classes;
}

function chooseStation(
  classes: readonly (readonly Station[])[],
  freeBytes: ReadonlyMap<Station, number>,
  neededBytes: number,
  nowMs: number,
): Station | undefined {
  for (const stations of classes) {
    let best: Station | undefined;
    for (const station of stations) {
      if (freeBytes.get(station)! < neededBytes) continue;
      if (best === undefined || meanSlackMs(station, nowMs) > meanSlackMs(best, nowMs)) best = station;
    }
    if (best !== undefined) return best;
  }
  return undefined;
}

/** Until the first token is due, or since; on average over the requests there. */
function meanSlackMs(station: Station, nowMs: number): number {
  let slackMs = 0;
  let jobs = 0;
  for (const { waiting, running } of station.residences.values()) {
    for (const job of [...waiting, ...running]) {
      slackMs += job.dueMs - nowMs;
      jobs++;
    }
  }
  return jobs === 0 ? Infinity : slackMs / jobs;
}
