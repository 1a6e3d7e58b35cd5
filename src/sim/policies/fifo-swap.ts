import type { Effect, Fleet, WorkEvent, PoolModel, Scheduler } from "../../pool/index.ts";
import { Board, type Job, type Station } from "./board.ts";
import { defaultTurnRules, nextTurn } from "./turns.ts";

export interface FifoSwapOptions {
  /** Requests of the loaded model that run at once; llama-server decides for 4 slots if nothing is said. */
  readonly parallel: number;
}

export const defaultFifoSwapOptions: FifoSwapOptions = { parallel: 4 };

/**
 * llama-swap: one model at a time, and requests in the order in which they came: one for another model waits until the
 * running ones are finished, and those behind it wait for it. llama-swap is a program for one machine; *inferred*: each
 * device has one of its own, and the models are dealt out to them in turn.
 */
export class FifoSwap implements Scheduler {
  readonly #board: Board;
  readonly #parallel: number;
  readonly #queues = new Map<Station, Job[]>();
  readonly #homes = new Map<string, Station>();

  constructor(fleet: Fleet, options: Partial<FifoSwapOptions> = {}) {
    this.#parallel = options.parallel ?? defaultFifoSwapOptions.parallel;
    const rules = { ...defaultTurnRules, batchMax: this.#parallel };
    this.#board = new Board(fleet, (station, nowMs) => nextTurn(station, nowMs, rules));
    const { stations } = this.#board;
    for (const station of stations) this.#queues.set(station, []);
    let next = 0;
    for (const model of fleet.models) {
      const tried = stations.map((_, index) => stations[(next + index) % stations.length]!);
      const home = tried.find((station) => holds(station, model));
      if (home === undefined) continue;
      this.#homes.set(model.id, home);
      next = stations.indexOf(home) + 1;
    }
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    switch (heard.kind) {
      case "arrived":
        this.#arrived(heard.job, heard.model);
        break;
      case "loaded":
        this.#board.run(heard.station);
        break;
      case "turnEnded":
        this.#serve(heard.station);
        break;
      case "refused":
      case "woken":
        break;
    }
    return this.#board.take();
  }

  #arrived(job: Job, model: PoolModel): void {
    const home = this.#homes.get(model.id);
    if (home === undefined || home.capacityBytes < model.weightsBytes + job.kvBytes) {
      return this.#board.refuse(job, "model_too_large");
    }
    this.#queues.get(home)!.push(job);
    this.#serve(home);
  }

  /** As many as may begin now, in their order. */
  #serve(station: Station): void {
    const queue = this.#queues.get(station)!;
    for (let [job] = queue; job !== undefined; [job] = queue) {
      const model = this.#board.models.get(job.request.model)!;
      let residence = station.residences.get(model.id);
      if (residence === undefined) {
        if (station.jobs > 0 || station.loading !== undefined) break;
        for (const present of station.residences.values()) this.#board.evict(present);
        residence = this.#board.load(station, model);
      }
      if (residence.jobs >= this.#parallel) break;
      queue.shift();
      this.#board.enqueue(job, residence);
    }
    this.#board.run(station);
  }
}

function holds(station: Station, model: PoolModel): boolean {
  return station.capacityBytes >= model.weightsBytes + model.contextTokens * model.kvBytesPerToken;
}
