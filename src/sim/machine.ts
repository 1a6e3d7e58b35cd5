import TinyQueue from "tinyqueue";
import {
  type Effect,
  type Fleet,
  type PoolDevice,
  type WorkEvent,
  type PoolModel,
  prefillMs,
  type Scheduler,
  type Speed,
  stepsMs,
  stepsWithin,
} from "../pool/index.ts";
import { Outcome, type SimulatedRequest } from "./outcome.ts";

/** A request as the machine knows it: only it knows how long the answer will be. */
interface Job {
  readonly request: SimulatedRequest;
  readonly outcome: Outcome;
  readonly model: PoolModel;
  device: Accelerator | undefined;
  isPrefilled: boolean;
  /** It has a place in a turn under way. */
  isInTurn: boolean;
  generatedTokens: number;
}

interface Turn {
  readonly model: PoolModel;
  readonly speed: Speed;
  readonly jobs: readonly Job[];
  readonly startedMs: number;
  readonly isPrefill: boolean;
  /** A turn that is stopped early is told apart from the one whose end was planned. */
  readonly serial: number;
  endMs: number;
  /** Steps that no longer may begin after this. */
  untilMs: number;
}

interface Accelerator {
  readonly spec: PoolDevice;
  readonly resident: Set<string>;
  loading: string | undefined;
  turn: Turn | undefined;
  weightsBytes: number;
  kvTokensBytes: number;
}

type Happening =
  | { readonly atMs: number; readonly order: number; readonly kind: "arrival"; readonly index: number }
  | {
      readonly atMs: number;
      readonly order: number;
      readonly kind: "loaded";
      readonly device: string;
      readonly model: string;
    }
  | {
      readonly atMs: number;
      readonly order: number;
      readonly kind: "turn";
      readonly device: string;
      readonly serial: number;
    }
  | {
      readonly atMs: number;
      readonly order: number;
      readonly kind: "moved";
      readonly request: string;
      readonly to: string;
    }
  | { readonly atMs: number; readonly order: number; readonly kind: "woken" };

export interface MachineTotals {
  readonly endMs: number;
  /** Requests that were neither finished nor refused. */
  readonly forgotten: number;
  readonly busyMs: number;
  readonly bytesMoved: number;
  /** Weights copied to a device. */
  readonly switches: number;
  readonly tokens: number;
  readonly events: number;
}

/** The scheduler asked for what no machine does. */
export class Impossible extends Error {}

/**
 * Devices under virtual time. It does what a scheduler decides, lets it take the time that the cost model says, and
 * refuses what is impossible: more bytes than there are, a turn of a model that is not resident, two turns at once.
 * Steps of a turn are computed together, so that a token costs next to nothing. A copy runs beside the turns.
 */
export class Machine {
  readonly #fleet: Fleet;
  readonly #scheduler: Scheduler;
  readonly #requests: readonly SimulatedRequest[];
  readonly #jobs = new Map<string, Job>();
  readonly #devices = new Map<string, Accelerator>();
  readonly #models = new Map<string, PoolModel>();
  readonly #queue = new TinyQueue<Happening>([], (a, b) => a.atMs - b.atMs || a.order - b.order);
  readonly outcomes: Outcome[] = [];
  #order = 0;
  #serial = 0;
  #nowMs = 0;
  #totals = { busyMs: 0, bytesMoved: 0, switches: 0, tokens: 0, events: 0 };

  constructor(fleet: Fleet, scheduler: Scheduler, requests: readonly SimulatedRequest[]) {
    this.#fleet = fleet;
    this.#scheduler = scheduler;
    this.#requests = requests;
    for (const model of fleet.models) this.#models.set(model.id, model);
    for (const spec of fleet.devices) {
      this.#devices.set(spec.id, {
        spec,
        resident: new Set(),
        loading: undefined,
        turn: undefined,
        weightsBytes: 0,
        kvTokensBytes: 0,
      });
    }
  }

  /**
   * Runs until nothing happens any more. Throws `Impossible`, also where the scheduler has forgotten a request, unless it
   * `mayForget`: then they are missed.
   */
  run({ mayForget }: { readonly mayForget: boolean } = { mayForget: false }): MachineTotals {
    this.#nextArrival(0);
    for (let next = this.#queue.pop(); next !== undefined; next = this.#queue.pop()) {
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#totals.events++;
      const event = this.#happen(next);
      if (event === undefined) continue;
      for (const effect of this.#scheduler.decide(event, this.#nowMs)) this.#do(effect);
    }
    const forgotten = this.outcomes.filter(({ isOver }) => !isOver);
    if (forgotten.length > 0 && !mayForget) {
      throw new Impossible(`request ${forgotten[0]!.request.id} was neither finished nor refused`);
    }
    return { endMs: this.#nowMs, forgotten: forgotten.length, ...this.#totals };
  }

  #happen(next: Happening): WorkEvent | undefined {
    switch (next.kind) {
      case "arrival":
        return this.#arrive(next.index);
      case "loaded": {
        const device = this.#device(next.device);
        device.loading = undefined;
        device.resident.add(next.model);
        return { kind: "loaded", device: next.device, model: next.model };
      }
      case "turn":
        return this.#endTurn(this.#device(next.device), next.serial);
      case "moved":
        return this.#arriveAt(next.request, next.to);
      default:
        return { kind: "woken" };
    }
  }

  #nextArrival(index: number): void {
    const request = this.#requests[index];
    if (request !== undefined) this.#queue.push({ atMs: request.atMs, order: this.#order++, kind: "arrival", index });
  }

  #arrive(index: number): WorkEvent {
    this.#nextArrival(index + 1);
    const request = this.#requests[index]!;
    const outcome = new Outcome(request);
    this.outcomes.push(outcome);
    this.#jobs.set(request.id, {
      request,
      outcome,
      model: this.#model(request.model),
      device: undefined,
      isPrefilled: false,
      isInTurn: false,
      generatedTokens: 0,
    });
    return { kind: "arrived", request };
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "refuse":
        this.#job(effect.request).outcome.refused(effect.reason);
        this.#jobs.delete(effect.request);
        return;
      case "load":
        return this.#load(this.#device(effect.device), this.#model(effect.model));
      case "evict":
        return this.#evict(this.#device(effect.device), this.#model(effect.model));
      case "prefill":
        return this.#prefill(this.#device(effect.device), this.#model(effect.model), effect.requests);
      case "decode":
        return this.#decode(this.#device(effect.device), this.#model(effect.model), effect.requests, effect.untilMs);
      case "stop":
        return this.#stop(this.#device(effect.device));
      case "move":
        return this.#move(this.#job(effect.request), this.#device(effect.to));
      case "drop":
        return this.#drop(this.#job(effect.request));
      case "fail":
        throw new Impossible(`${effect.request} fails, and no device was lost`);
      case "wake":
        this.#queue.push({ atMs: Math.max(effect.atMs, this.#nowMs), order: this.#order++, kind: "woken" });
    }
  }

  #load(device: Accelerator, model: PoolModel): void {
    if (device.loading !== undefined) throw new Impossible(`${device.spec.id} copies two models at once`);
    if (device.resident.has(model.id)) throw new Impossible(`${model.id} is on ${device.spec.id} already`);
    device.weightsBytes += model.weightsBytes;
    this.#checkMemory(device);
    device.loading = model.id;
    this.#totals.bytesMoved += model.weightsBytes;
    this.#totals.switches++;
    const atMs = this.#nowMs + this.#fleet.speed(model, device.spec).loadMs;
    this.#queue.push({ atMs, order: this.#order++, kind: "loaded", device: device.spec.id, model: model.id });
  }

  #evict(device: Accelerator, model: PoolModel): void {
    if (!device.resident.delete(model.id)) throw new Impossible(`${model.id} is not on ${device.spec.id}`);
    if (device.turn?.model === model) throw new Impossible(`${model.id} has its turn on ${device.spec.id}`);
    if (device.spec.keepsKv === false && this.#sequencesOn(device, model) > 0)
      throw new Impossible(`${model.id} leaves its KV on ${device.spec.id}`);
    device.weightsBytes -= model.weightsBytes;
  }

  #prefill(device: Accelerator, model: PoolModel, requests: readonly string[]): void {
    const speed = this.#begin(device, model);
    const jobs = this.#take(requests);
    let durationMs = speed.prefillFixedMs;
    for (const job of jobs) {
      if (job.isPrefilled) throw new Impossible(`${job.request.id} is prefilled twice`);
      const tokens = job.request.inputTokens + job.generatedTokens;
      durationMs += prefillMs(speed, tokens) - speed.prefillFixedMs;
      job.device = device;
      device.kvTokensBytes += tokens * model.kvBytesPerToken;
    }
    this.#checkMemory(device);
    if (model.sequencesMax !== undefined && this.#sequencesOn(device, model) > model.sequencesMax)
      throw new Impossible(`${model.id} would run more than ${model.sequencesMax} sequences on ${device.spec.id}`);
    this.#schedule(device, {
      model,
      speed,
      jobs,
      isPrefill: true,
      untilMs: this.#nowMs,
      endMs: this.#nowMs + durationMs,
    });
  }

  #decode(device: Accelerator, model: PoolModel, requests: readonly string[], untilMs: number): void {
    const speed = this.#begin(device, model);
    const jobs = this.#take(requests);
    for (const job of jobs) {
      if (!job.isPrefilled || job.device !== device)
        throw new Impossible(`${job.request.id} is not on ${device.spec.id}`);
    }
    const endMs = this.#walk(device, jobs, speed, this.#nowMs, untilMs, undefined);
    this.#schedule(device, { model, speed, jobs, isPrefill: false, untilMs, endMs });
  }

  /** A request is in one turn at a time, and once. */
  #take(requests: readonly string[]): readonly Job[] {
    if (requests.length === 0) throw new Impossible("an empty turn");
    return requests.map((id) => {
      const job = this.#job(id);
      if (job.isInTurn) throw new Impossible(`${id} is in two turns at once`);
      job.isInTurn = true;
      return job;
    });
  }

  #begin(device: Accelerator, model: PoolModel): Speed {
    if (device.turn !== undefined) throw new Impossible(`${device.spec.id} has two turns at once`);
    if (!device.resident.has(model.id)) throw new Impossible(`${model.id} is not resident on ${device.spec.id}`);
    return this.#fleet.speed(model, device.spec);
  }

  #schedule(device: Accelerator, turn: Omit<Turn, "serial" | "startedMs">): void {
    const serial = this.#serial++;
    device.turn = { ...turn, serial, startedMs: this.#nowMs };
    this.#queue.push({ atMs: turn.endMs, order: this.#order++, kind: "turn", device: device.spec.id, serial });
  }

  /** The turn ends with the step under way now. */
  #stop(device: Accelerator): void {
    const { turn } = device;
    if (turn === undefined || turn.isPrefill || turn.untilMs <= this.#nowMs) return;
    const untilMs = this.#nowMs;
    const endMs = this.#walk(device, turn.jobs, turn.speed, turn.startedMs, untilMs, undefined);
    if (endMs >= turn.endMs) return;
    const serial = this.#serial++;
    device.turn = { ...turn, serial, untilMs, endMs };
    this.#queue.push({ atMs: endMs, order: this.#order++, kind: "turn", device: device.spec.id, serial });
  }

  #endTurn(device: Accelerator, serial: number): WorkEvent | undefined {
    const { turn } = device;
    if (turn === undefined || turn.serial !== serial) return undefined;
    device.turn = undefined;
    this.#totals.busyMs += turn.endMs - turn.startedMs;
    const finished: string[] = [];
    let steps = 1;
    if (turn.isPrefill) {
      for (const job of turn.jobs) {
        job.isPrefilled = true;
        device.kvTokensBytes += job.model.kvBytesPerToken;
        this.#give(job, turn.endMs, turn.endMs, 1);
      }
    } else {
      const given = { steps: 0 };
      this.#walk(device, turn.jobs, turn.speed, turn.startedMs, turn.untilMs, given);
      steps = given.steps;
    }
    for (const job of turn.jobs) {
      job.isInTurn = false;
      if (job.generatedTokens < job.request.outputTokens) continue;
      finished.push(job.request.id);
      this.#release(job);
    }
    this.#checkMemory(device);
    return { kind: "turnEnded", device: device.spec.id, steps, finished };
  }

  /**
   * The decode steps of a turn, and when they end. Stretches in which the same sequences run are taken at once; with
   * `given` the tokens are really given.
   */
  #walk(
    device: Accelerator,
    jobs: readonly Job[],
    speed: Speed,
    startedMs: number,
    untilMs: number,
    given: { steps: number } | undefined,
  ): number {
    const left = jobs
      .map((job) => ({ job, tokens: job.request.outputTokens - job.generatedTokens }))
      .sort((a, b) => a.tokens - b.tokens);
    let context = 0;
    for (const { job } of left) context += job.request.inputTokens + job.generatedTokens;
    let atMs = startedMs;
    let done = 0;
    for (let first = 0; first < left.length;) {
      const sequences = left.length - first;
      const untilNext = left[first]!.tokens - done;
      const steps = Math.min(untilNext, stepsWithin(speed, sequences, context, untilMs - atMs));
      const firstMs = atMs + stepsMs(speed, sequences, context, 1);
      atMs += stepsMs(speed, sequences, context, steps);
      if (given !== undefined) {
        for (let index = first; index < left.length; index++) {
          const { job } = left[index]!;
          this.#give(job, firstMs, atMs, steps);
          device.kvTokensBytes += steps * job.model.kvBytesPerToken;
        }
      }
      done += steps;
      context += steps * sequences;
      for (; first < left.length && left[first]!.tokens === done; first++) {
        context -= left[first]!.job.request.inputTokens + left[first]!.job.request.outputTokens;
      }
      if (atMs >= untilMs - 1e-9) break;
    }
    if (given !== undefined) given.steps = done;
    return atMs;
  }

  #give(job: Job, firstMs: number, lastMs: number, tokens: number): void {
    job.outcome.given(firstMs, lastMs, job.generatedTokens, tokens);
    job.generatedTokens += tokens;
    this.#totals.tokens += tokens;
  }

  #release(job: Job): void {
    if (job.device !== undefined && job.isPrefilled) {
      job.device.kvTokensBytes -= (job.request.inputTokens + job.generatedTokens) * job.model.kvBytesPerToken;
    }
    job.outcome.finished();
    this.#jobs.delete(job.request.id);
  }

  #drop(job: Job): void {
    if (!job.isPrefilled || job.device === undefined) throw new Impossible(`${job.request.id} has nothing to drop`);
    if (job.isInTurn) throw new Impossible(`${job.request.id} has its turn`);
    job.device.kvTokensBytes -= (job.request.inputTokens + job.generatedTokens) * job.model.kvBytesPerToken;
    job.isPrefilled = false;
    job.device = undefined;
  }

  #move(job: Job, to: Accelerator): void {
    const from = job.device;
    if (from === undefined || !job.isPrefilled) throw new Impossible(`${job.request.id} has nothing to move`);
    if (job.isInTurn) throw new Impossible(`${job.request.id} has its turn`);
    const bytes = (job.request.inputTokens + job.generatedTokens) * job.model.kvBytesPerToken;
    from.kvTokensBytes -= bytes;
    to.kvTokensBytes += bytes;
    this.#checkMemory(to);
    job.device = undefined;
    this.#totals.bytesMoved += bytes;
    const atMs = this.#nowMs + bytes / Math.min(from.spec.linkBytesPerMs, to.spec.linkBytesPerMs);
    this.#queue.push({ atMs, order: this.#order++, kind: "moved", request: job.request.id, to: to.spec.id });
  }

  #arriveAt(request: string, to: string): WorkEvent {
    this.#job(request).device = this.#device(to);
    return { kind: "moved", request, device: to };
  }

  /** Those whose KV is there, or is being computed. */
  #sequencesOn(device: Accelerator, model: PoolModel): number {
    let count = 0;
    for (const job of this.#jobs.values()) if (job.device === device && job.model === model) count++;
    return count;
  }

  #checkMemory(device: Accelerator): void {
    const bytes = device.weightsBytes + device.kvTokensBytes;
    if (bytes > device.spec.memoryBytes)
      throw new Impossible(`${device.spec.id} would hold ${bytes} of ${device.spec.memoryBytes} bytes`);
  }

  #job(id: string): Job {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new Impossible(`there is no request ${id} any more`);
    return job;
  }

  #device(id: string): Accelerator {
    const device = this.#devices.get(id);
    if (device === undefined) throw new Impossible(`there is no device ${id}`);
    return device;
  }

  #model(id: string): PoolModel {
    const model = this.#models.get(id);
    if (model === undefined) throw new Impossible(`there is no model ${id}`);
    return model;
  }
}
