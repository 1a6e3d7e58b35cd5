import {
  type Effect,
  type Fleet,
  type PoolDevice,
  type WorkEvent,
  type PoolModel,
  type PoolRequest,
  type RefusalReason,
  type Speed,
} from "../../pool/index.ts";

/** Share of a device's memory that a policy gives to weights and KV; the rest is what an engine needs beside them. */
const memoryShare = 0.95;

/** A request, as far as a policy can know it: not how long its answer will be. */
export class Job {
  readonly request: PoolRequest;
  readonly arrivedMs: number;
  /** KV that it may need at most. It is set aside when its prompt begins, so that no sequence ever has to be dropped. */
  readonly kvBytes: number;
  generatedTokens = 0;
  residence: Residence | undefined;

  constructor(request: PoolRequest, model: PoolModel, arrivedMs: number) {
    this.request = request;
    this.arrivedMs = arrivedMs;
    this.kvBytes = (request.inputTokens + request.maxOutputTokens) * model.kvBytesPerToken;
  }

  /** When its first token is due. */
  get dueMs(): number {
    return this.arrivedMs + this.request.objective.ttftMs;
  }
}

/** One model's weights on one device, with the requests that are to be served there. */
export class Residence {
  readonly model: PoolModel;
  readonly station: Station;
  readonly speed: Speed;
  isLoaded = false;
  /** Prompts not begun, the next first. */
  waiting: Job[] = [];
  /** Sequences between two turns, or in a decode turn. */
  running: Job[] = [];
  lastUsedMs: number;
  /** Of the device's time, against that of the others there; see `nextTurn`. */
  share = 1;
  /** Time that it has had, divided by its share. */
  servedMs = 0;

  constructor(model: PoolModel, station: Station, speed: Speed, nowMs: number) {
    this.model = model;
    this.station = station;
    this.speed = speed;
    this.lastUsedMs = nowMs;
  }

  /** Requests in any state. */
  get jobs(): number {
    const { turn } = this.station;
    const inPrefill = turn?.residence === this && turn.isPrefill ? turn.jobs.length : 0;
    return this.waiting.length + this.running.length + inPrefill;
  }
}

export interface Turn {
  readonly residence: Residence;
  readonly isPrefill: boolean;
  readonly jobs: readonly Job[];
  readonly startedMs: number;
  isStopping: boolean;
}

/** One device, as the policy left it. */
export class Station {
  readonly spec: PoolDevice;
  readonly capacityBytes: number;
  readonly residences = new Map<string, Residence>();
  loading: Residence | undefined;
  turn: Turn | undefined;
  weightsBytes = 0;
  /** Set aside for prompts and answers under way. */
  kvBytes = 0;
  /** When its last turn ended. */
  lastTurnMs = -Infinity;
  /** The `servedMs` of who had the last turn: who comes back from idleness starts there. */
  servedMs = 0;

  constructor(spec: PoolDevice) {
    this.spec = spec;
    this.capacityBytes = spec.memoryBytes * memoryShare;
  }

  get freeBytes(): number {
    return this.capacityBytes - this.weightsBytes - this.kvBytes;
  }
  get jobs(): number {
    let jobs = 0;
    for (const residence of this.residences.values()) jobs += residence.jobs;
    return jobs;
  }
}

/** An event, in terms of the board. `refused`: nothing is left to decide. */
export type Heard =
  | { readonly kind: "arrived"; readonly job: Job; readonly model: PoolModel }
  | { readonly kind: "refused" }
  | { readonly kind: "loaded"; readonly residence: Residence; readonly station: Station }
  | {
      readonly kind: "turnEnded";
      readonly station: Station;
      readonly residence: Residence;
      readonly isPrefill: boolean;
      readonly jobs: readonly Job[];
      readonly steps: number;
      readonly finished: readonly Job[];
    }
  | { readonly kind: "woken" };

/** A turn that a policy has chosen. */
export type Plan =
  | { readonly kind: "prefill"; readonly residence: Residence; readonly jobs: readonly Job[] }
  | { readonly kind: "decode"; readonly residence: Residence; readonly jobs: readonly Job[]; readonly untilMs: number };

/**
 * What every policy here has to keep: which models are where, who waits and runs there, how much memory is spoken for,
 * and which effects have been asked for. The policies differ in what they do with it.
 */
export class Board {
  readonly stations: readonly Station[];
  readonly models: ReadonlyMap<string, PoolModel>;
  readonly #fleet: Fleet;
  readonly #stations = new Map<string, Station>();
  readonly #jobs = new Map<string, Job>();
  readonly #nextTurn: (station: Station, nowMs: number) => Plan | undefined;
  #effects: Effect[] = [];
  nowMs = 0;

  constructor(fleet: Fleet, nextTurn: (station: Station, nowMs: number) => Plan | undefined) {
    this.#fleet = fleet;
    this.#nextTurn = nextTurn;
    this.stations = fleet.devices.map((spec) => new Station(spec));
    for (const station of this.stations) this.#stations.set(station.spec.id, station);
    this.models = new Map(fleet.models.map((model) => [model.id, model]));
  }

  /** Writes the event down. A request that no device could ever serve is refused here. */
  hear(event: WorkEvent, nowMs: number): Heard {
    this.nowMs = nowMs;
    switch (event.kind) {
      case "arrived":
        return this.#arrived(event.request);
      case "loaded": {
        const station = this.#stations.get(event.device)!;
        const residence = station.residences.get(event.model)!;
        residence.isLoaded = true;
        station.loading = undefined;
        return { kind: "loaded", residence, station };
      }
      case "turnEnded":
        return this.#turnEnded(this.#stations.get(event.device)!, event.steps, event.finished);
      case "woken":
        return { kind: "woken" };
      case "moved":
        break;
    }
    throw new Error("no policy here moves a sequence");
  }

  #arrived(request: PoolRequest): Heard {
    const model = this.models.get(request.model);
    if (model === undefined) {
      this.#effects.push({ kind: "refuse", request: request.id, reason: "unknown_model" });
      return { kind: "refused" };
    }
    const job = new Job(request, model, this.nowMs);
    this.#jobs.set(request.id, job);
    if (this.stations.every((station) => station.capacityBytes < model.weightsBytes + job.kvBytes)) {
      this.refuse(job, "model_too_large");
      return { kind: "refused" };
    }
    return { kind: "arrived", job, model };
  }

  #turnEnded(station: Station, steps: number, finishedIds: readonly string[]): Heard {
    const turn = station.turn!;
    station.turn = undefined;
    const { residence, isPrefill, jobs } = turn;
    const tookMs = this.nowMs - turn.startedMs;
    residence.lastUsedMs = this.nowMs;
    station.lastTurnMs = this.nowMs;
    residence.servedMs += tookMs / residence.share;
    station.servedMs = residence.servedMs;
    if (isPrefill) residence.running.push(...jobs);
    for (const job of jobs) job.generatedTokens += steps;
    const finished = finishedIds.map((id) => this.#jobs.get(id)!);
    for (const job of finished) {
      this.#jobs.delete(job.request.id);
      station.kvBytes -= job.kvBytes;
    }
    if (finished.length > 0) {
      const gone = new Set(finished);
      residence.running = residence.running.filter((job) => !gone.has(job));
    }
    return { kind: "turnEnded", station, residence, isPrefill, jobs, steps, finished };
  }

  /** Only of one whose prompt has not begun. */
  refuse(job: Job, reason: RefusalReason): void {
    this.#jobs.delete(job.request.id);
    this.#effects.push({ kind: "refuse", request: job.request.id, reason });
  }

  /** Room for the weights has to be there, and no other load under way. */
  load(station: Station, model: PoolModel): Residence {
    const residence = new Residence(model, station, this.#fleet.speed(model, station.spec), this.nowMs);
    station.residences.set(model.id, residence);
    station.loading = residence;
    station.weightsBytes += model.weightsBytes;
    this.#effects.push({ kind: "load", device: station.spec.id, model: model.id });
    return residence;
  }

  /** Nobody may be running there. */
  evict(residence: Residence): void {
    const { station, model } = residence;
    station.residences.delete(model.id);
    station.weightsBytes -= model.weightsBytes;
    this.#effects.push({ kind: "evict", device: station.spec.id, model: model.id });
  }

  /** The request is to be served there, after those that wait there already. */
  enqueue(job: Job, residence: Residence): void {
    const { station } = residence;
    if (residence.jobs === 0) residence.servedMs = Math.max(residence.servedMs, station.servedMs);
    job.residence = residence;
    residence.waiting.push(job);
    this.interrupt(station);
  }

  /** A decode turn ends with its present step: somebody else may want to join it, or to be next. */
  interrupt(station: Station): void {
    const { turn } = station;
    if (turn === undefined || turn.isPrefill || turn.isStopping) return;
    turn.isStopping = true;
    this.#effects.push({ kind: "stop", device: station.spec.id });
  }

  /** The next turn begins, if there is none and somebody can have one. */
  run(station: Station): void {
    if (station.turn !== undefined) return;
    const plan = this.#nextTurn(station, this.nowMs);
    if (plan === undefined) return;
    const { residence } = plan;
    const [device, model] = [station.spec.id, residence.model.id];
    const requests = plan.jobs.map(({ request }) => request.id);
    station.turn = {
      residence,
      isPrefill: plan.kind === "prefill",
      jobs: plan.jobs,
      startedMs: this.nowMs,
      isStopping: false,
    };
    if (plan.kind === "prefill") {
      const begun = new Set(plan.jobs);
      residence.waiting = residence.waiting.filter((job) => !begun.has(job));
      for (const job of plan.jobs) station.kvBytes += job.kvBytes;
      this.#effects.push({ kind: "prefill", device, model, requests });
    } else {
      this.#effects.push({ kind: "decode", device, model, requests, untilMs: plan.untilMs });
    }
  }

  wakeAt(atMs: number): void {
    this.#effects.push({ kind: "wake", atMs });
  }

  /** What has been asked for since the last time. */
  take(): readonly Effect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
