import type { Effect, Fleet, WorkEvent, PoolModel, Scheduler } from "../../pool/index.ts";
import { Board, type Job, type Station } from "./board.ts";
import { defaultTurnRules, nextTurn } from "./turns.ts";

/** Which models live where, and each one's share of its device's time. */
export interface FixedPlace {
  readonly deviceIndex: number;
  readonly share: number;
}

/**
 * Models that stay where they are. They are loaded when the first request comes, one after the other on each device:
 * that a service would have done before it opens costs its first requests a little. Models without a place are refused.
 */
export class FixedPlacement implements Scheduler {
  readonly #board: Board;
  readonly #places: ReadonlyMap<string, FixedPlace>;
  /** Models that are not loaded yet, for each device in the order of their loading. */
  readonly #unloaded = new Map<Station, PoolModel[]>();
  /** Requests for them. */
  #early: Job[] = [];
  #isOpen = false;

  constructor(fleet: Fleet, places: ReadonlyMap<string, FixedPlace>) {
    this.#board = new Board(fleet, (station, nowMs) => nextTurn(station, nowMs, defaultTurnRules));
    this.#places = places;
    for (const station of this.#board.stations) this.#unloaded.set(station, []);
    for (const model of fleet.models) {
      const place = places.get(model.id);
      if (place !== undefined) this.#unloaded.get(this.#board.stations[place.deviceIndex]!)!.push(model);
    }
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    if (!this.#isOpen) for (const station of this.#board.stations) this.#loadNext(station);
    this.#isOpen = true;
    switch (heard.kind) {
      case "arrived":
        this.#arrived(heard.job);
        break;
      case "loaded":
        this.#loadNext(heard.station);
        this.#board.run(heard.station);
        break;
      case "turnEnded":
        this.#board.run(heard.station);
        break;
      case "refused":
      case "woken":
        break;
    }
    return this.#board.take();
  }

  #loadNext(station: Station): void {
    const model = this.#unloaded.get(station)!.shift();
    if (model === undefined) return;
    const residence = this.#board.load(station, model);
    residence.share = this.#places.get(model.id)!.share;
    for (const job of this.#early) if (job.request.model === model.id) this.#board.enqueue(job, residence);
    this.#early = this.#early.filter(({ request }) => request.model !== model.id);
  }

  #arrived(job: Job): void {
    const place = this.#places.get(job.request.model);
    if (place === undefined) return this.#board.refuse(job, "overloaded");
    const station = this.#board.stations[place.deviceIndex]!;
    let weightsBytes = station.weightsBytes;
    for (const model of this.#unloaded.get(station)!) weightsBytes += model.weightsBytes;
    if (weightsBytes + job.kvBytes > station.capacityBytes) return this.#board.refuse(job, "model_too_large");
    const residence = station.residences.get(job.request.model);
    if (residence === undefined) this.#early.push(job);
    else {
      this.#board.enqueue(job, residence);
      this.#board.run(station);
    }
  }
}
