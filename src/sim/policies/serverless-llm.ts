import { type Effect, type Fleet, type WorkEvent, type PoolModel, type Scheduler, stepMs } from "../../pool/index.ts";
import { Board, type Job, type Residence, type Station } from "./board.ts";
import { defaultTurnRules, nextTurn } from "./turns.ts";

export interface ServerlessLlmOptions {
  /** Who is next among those that wait for a device: first come, or shortest answer. */
  readonly order: "fcfs" | "sjf";
  /** The oracle of `sjf`. Without it the shortest is who may be shortest at most. */
  readonly outputTokensOf?: (requestId: string) => number;
  /** Requests that one device serves together. */
  readonly batchMax: number;
  /**
   * `free`: a request that cannot be served at once waits in one queue for the device that is free first. `arrival`:
   * it goes to the queue of a device when it comes, as in the artifact.
   */
  readonly dispatch: "free" | "arrival";
  /** Who has waited longer for its prompt is refused when the next request comes; Infinity: never. */
  readonly giveUpMs: number;
}

export const defaultServerlessLlmOptions: ServerlessLlmOptions = {
  order: "fcfs",
  batchMax: 4,
  dispatch: "free",
  giveUpMs: Infinity,
};

/**
 * As the simulator of Aegaeon's artifact has it (aegaeon/sim/scheduler.py, classes `Scheduler` and `V02Policy`): its
 * published curves of ServerlessLLM, and our reference points, are from there. It gives up after 15 s, and its choice
 * among busy devices is nearly blind: whoever ended a step longest ago, also if it is just loading for somebody else.
 */
export const artifactServerlessLlmOptions: ServerlessLlmOptions = {
  ...defaultServerlessLlmOptions,
  dispatch: "arrival",
  giveUpMs: 15_000,
};

/**
 * ServerlessLLM (OSDI'24): one model on a device at a time, and it stays until its requests are finished. A request
 * goes to a device that serves its model already, up to `batchMax` together (4 in the artifact); else it waits for an
 * idle device with its model; else the device that is free soonest loads it.
 *
 * *Inferred*: the paper estimates which device will be free soonest. With `dispatch: "free"` one queue for all devices
 * finds that out without an estimate, which is the most that such a policy can do; of several idle devices the one that
 * has been idle longest loads the model. A request may join its model before others that wait for a device: it takes
 * none from them.
 */
export class ServerlessLlm implements Scheduler {
  readonly #options: ServerlessLlmOptions;
  readonly #board: Board;
  /** Who waits for a device: for any in one queue, or for one each in queues of their own. */
  readonly #queues: ReadonlyMap<Station | undefined, Job[]>;

  constructor(fleet: Fleet, options: Partial<ServerlessLlmOptions> = {}) {
    this.#options = { ...defaultServerlessLlmOptions, ...options };
    const rules = { ...defaultTurnRules, batchMax: this.#options.batchMax };
    this.#board = new Board(fleet, (station, nowMs) => nextTurn(station, nowMs, rules));
    this.#queues = new Map([undefined, ...this.#board.stations].map((station) => [station, []]));
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const heard = this.#board.hear(event, nowMs);
    switch (heard.kind) {
      case "arrived":
        this.#giveUp();
        this.#arrived(heard.job, heard.model);
        break;
      case "loaded":
        this.#board.run(heard.station);
        break;
      case "turnEnded":
        if (heard.finished.length > 0) this.#serve(heard.station);
        this.#board.run(heard.station);
        break;
      case "refused":
      case "woken":
        break;
    }
    return this.#board.take();
  }

  #giveUp(): void {
    if (this.#options.giveUpMs === Infinity) return;
    for (const queue of this.#queues.values()) {
      const late = queue.filter((job) => this.#board.nowMs - job.arrivedMs > this.#options.giveUpMs);
      for (const job of late) {
        queue.splice(queue.indexOf(job), 1);
        this.#board.refuse(job, "overloaded");
      }
    }
  }

  #arrived(job: Job, model: PoolModel): void {
    if (this.#options.dispatch === "arrival") {
      const station = this.#joinable(job, model) ?? this.#leastRecent(job, model);
      this.#insert(this.#queues.get(station)!, job);
      this.#serve(station);
      return;
    }
    const residence = this.#running(job, model);
    if (residence !== undefined) this.#start(job, residence);
    else {
      this.#insert(this.#queues.get(undefined)!, job);
      const station = this.#idle(job, model);
      if (station !== undefined) this.#serve(station);
    }
  }

  #insert(queue: Job[], job: Job): void {
    if (this.#options.order === "fcfs") queue.push(job);
    else {
      const tokens = this.#outputTokensOf(job);
      const after = queue.findIndex((other) => this.#outputTokensOf(other) > tokens);
      queue.splice(after === -1 ? queue.length : after, 0, job);
    }
  }

  #outputTokensOf({ request }: Job): number {
    return this.#options.outputTokensOf?.(request.id) ?? request.maxOutputTokens;
  }

  /** A device has room for another request, or is idle. */
  #serve(station: Station): void {
    const own = this.#queues.get(station)!;
    const queue = own.length > 0 ? own : this.#queues.get(undefined)!;
    if (station.jobs === 0 && station.loading === undefined) {
      const next = queue.find((job) => fits(station, job, this.#modelOf(job)));
      if (next === undefined) return;
      const model = this.#modelOf(next);
      if (!station.residences.has(model.id)) {
        for (const present of station.residences.values()) this.#board.evict(present);
        this.#board.load(station, model);
      }
    }
    const [residence] = station.residences.values();
    this.#join(queue, residence!);
  }

  /** Those of the same model come along, up to the batch: of a device's own queue those that are next. */
  #join(queue: Job[], residence: Residence): void {
    for (let at = 0; at < queue.length && residence.jobs < this.#options.batchMax;) {
      const job = queue[at]!;
      if (job.request.model === residence.model.id && fits(residence.station, job, residence.model)) {
        queue.splice(at, 1);
        this.#start(job, residence);
      } else if (this.#options.dispatch === "arrival") return;
      else at++;
    }
  }

  #start(job: Job, residence: Residence): void {
    this.#board.enqueue(job, residence);
    this.#board.run(residence.station);
  }

  #modelOf(job: Job): PoolModel {
    return this.#board.models.get(job.request.model)!;
  }

  /** Where it runs with room in the batch, the smallest batch first. */
  #running(job: Job, model: PoolModel): Residence | undefined {
    let best: Residence | undefined;
    for (const station of this.#board.stations) {
      const residence = station.residences.get(model.id);
      if (residence === undefined || residence.jobs >= this.#options.batchMax || !fits(station, job, model)) continue;
      if (best === undefined || residence.jobs < best.jobs) best = residence;
    }
    return best;
  }

  #idle(job: Job, model: PoolModel): Station | undefined {
    let best: Station | undefined;
    let bestMs = Infinity;
    for (const station of this.#board.stations) {
      if (station.jobs > 0 || station.loading !== undefined || !fits(station, job, model)) continue;
      const [present] = station.residences.values();
      const lastUsedMs = present?.lastUsedMs ?? -Infinity;
      if (best === undefined || lastUsedMs < bestMs) [best, bestMs] = [station, lastUsedMs];
    }
    return best;
  }

  /** The artifact's: the model is the last in a device's queue, and fewer than a batch of it are at the end there. */
  #joinable(job: Job, model: PoolModel): Station | undefined {
    let best: Station | undefined;
    let bestCount: number = this.#options.batchMax;
    for (const station of this.#board.stations) {
      if (this.#lastModel(station) !== model.id || !fits(station, job, model)) continue;
      const queue = this.#queues.get(station)!;
      const before = queue.findLastIndex((job) => job.request.model !== model.id);
      const count = queue.length - 1 - before + (before === -1 ? station.jobs : 0);
      if (count < bestCount) [best, bestCount] = [station, count];
    }
    return best;
  }

  #lastModel(station: Station): string | undefined {
    const [present] = station.residences.values();
    return this.#queues.get(station)!.at(-1)?.request.model ?? present?.model.id;
  }

  /** The artifact's: an empty device, else the one that ended a step longest ago. */
  #leastRecent(job: Job, model: PoolModel): Station {
    let best: Station | undefined;
    let bestMs = Infinity;
    for (const station of this.#board.stations) {
      if (!fits(station, job, model)) continue;
      if (best !== undefined && this.#lastModel(station) === model.id) continue;
      const lastMs = lastStepMs(station, this.#board.nowMs);
      if (best === undefined || lastMs < bestMs) [best, bestMs] = [station, lastMs];
    }
    return best!;
  }
}

function fits(station: Station, job: Job, model: PoolModel): boolean {
  return station.capacityBytes >= model.weightsBytes + job.kvBytes;
}

/** When a step ended there last; -Infinity: never. Loading is no step. */
function lastStepMs(station: Station, nowMs: number): number {
  const [present] = station.residences.values();
  if (present === undefined) return -Infinity;
  const { turn } = station;
  if (turn === undefined) return station.lastTurnMs;
  if (turn.isPrefill) return turn.startedMs;
  let contextTokens = 0;
  for (const job of turn.jobs) contextTokens += job.request.inputTokens + job.generatedTokens;
  const takesMs = stepMs(present.speed, turn.jobs.length, contextTokens);
  return nowMs - ((nowMs - turn.startedMs) % takesMs);
}
