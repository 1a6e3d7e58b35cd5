import { Ahead } from "./ahead.ts";
import { Answer } from "./answer.ts";
import { Company } from "./company.ts";
import { DeviceScheduler } from "./device-scheduler.ts";
import { Queues } from "./queues.ts";
import { isOpenTo } from "./holding.ts";
import { placeRequest, type Places } from "./placement.ts";
import { Prospects } from "./prospects.ts";
import { redress } from "./redress.ts";
import { Learner } from "./learner.ts";
import type { HostEvent, MeasuredTurn } from "./host-events.ts";
import { Answers, Device, Lane, Sequence } from "./state.ts";
import { type DeviceSurvey, surveyOf } from "./survey.ts";
import { Reservations } from "./reservations.ts";
import { defaultTuning, type Tuning } from "./tuning.ts";
import type {
  Effect,
  Fleet,
  PoolDevice,
  PoolEvent,
  PoolModel,
  PoolRequest,
  RefusalReason,
  Scheduler,
} from "./types.ts";

/** Copies of a model that fail one after the other, until its requests are given up. */
const failuresMax = 5;
/** A moment that was told by a clock that is behind comes back rounded. */
const roundingMs = 1e-3;
/** How many of those that wait are tried to be placed for one event, of those that give way apart. */
const triesMax = 8;

/**
 * The pool's core. It decides by these rules; docs/reference/pool.md has what each gains.
 *
 * 1. `sharing`: a request goes where its model already runs, as long as its prompt does not wait there for long: a decode
 *    step serves all sequences of a model for little more than one.
 * 2. `promptsFirst`: a prompt is computed as soon as that endangers no promised token, the shortest first. It cannot be
 *    shared and costs the same later; and its sequence joins the next step.
 * 3. `leastSlack`: whoever can wait least is served, and goes on until somebody else cannot wait any more. A prompt that is longer
 *    than the others can wait lets them come far enough ahead before it.
 * 4. `lateCopies`: weights are copied in the order in which they are due, beside the turns: at once where idle models make
 *    room, the longest unused first; where a model with work has to leave, as late as the deadlines allow, and only one
 *    that can wait until it is copied back. A model whose copy has come has a turn before it leaves, and stays for long where
 *    no two fit.
 * 5. `lateLast`: a sequence that has missed a token is due again later: what is late stays late, and makes nobody else so.
 * 6. `refusing`: a device takes no request that it could not serve in time: of a new model where the steps and copies of
 *    all would take longer than there is, of any where its prompt would come too late. It waits for a place as long as that
 *    can still help, and is refused then, before it costs anything.
 * 7. `fairness`: among those that wait the tenant is next that has had least of the devices' time of late; and where one
 *    starves, a model that has been at work for long takes no more from whoever has had more, unless many share its steps. Who was turned away
 *    has a place beside one or a few that flood a device, even where there is none. What gives way (batch) comes behind all
 *    others everywhere.
 * 8. `fewestFirst`: where nobody is in a hurry and all models at work are there, the one with fewest sequences is served
 *    first, because it is done soonest, and its place is free for a model that is not there.
 * 9. `foreseeing`: a model that was asked at regular times, as schedules do, is copied before the next, where memory idles.
 */
export class Pool implements Scheduler {
  readonly #fleet: Fleet;
  readonly #tuning: Tuning;
  readonly #scheduler: DeviceScheduler;
  readonly #devices = new Map<string, Device>();
  readonly #models = new Map<string, PoolModel>();
  readonly #answers = new Map<string, Answers>();
  readonly #sequences = new Map<string, Sequence>();
  readonly #pending = new Queues();
  readonly #learner = new Learner();
  readonly #reservations = new Reservations();
  readonly #ahead: Ahead;
  readonly #places: Places;
  readonly #prospects: Prospects;
  readonly #company: Company;
  /** Whose copy has failed: it is not tried again for a while. */
  readonly #resting = new Set<Lane>();
  #nowMs = -Infinity;
  /** By how much that is ahead of whoever asks. */
  #aheadMs = 0;
  /** The wake that is under way. */
  #wakeMs = Infinity;

  constructor(fleet: Fleet, tuning: Tuning = defaultTuning) {
    this.#fleet = fleet;
    this.#tuning = tuning;
    this.#scheduler = new DeviceScheduler(tuning, (...failed) => this.#fail(...failed));
    for (const model of fleet.models) {
      this.#models.set(model.id, model);
      this.#answers.set(model.id, new Answers());
    }
    const laneOn = (device: Device, model: PoolModel): Lane => this.#laneOn(device, model);
    this.#places = { devices: this.#devices, laneOn, reservations: this.#reservations, tuning };
    this.#prospects = new Prospects(this.#places);
    this.#company = new Company(this.#devices, tuning.stintMs);
    this.#ahead = new Ahead(fleet.models, this.#scheduler, tuning, laneOn);
    for (const device of fleet.devices) this.#join(device);
    this.#ahead.pin(this.#devices.values());
  }

  /** A clock that goes back goes on here from where it was; what is asked for is by the clock of whoever asks. */
  decide(event: PoolEvent | HostEvent, nowMs: number): readonly Effect[] {
    this.#aheadMs = Math.max(this.#aheadMs, this.#nowMs - nowMs);
    this.#nowMs = nowMs + this.#aheadMs;
    const answer = new Answer(this.#nowMs);
    this.#decide(event, answer);
    if (event.kind !== "arrived") {
      this.#ahead.fill(this.#devices.values(), answer);
      this.#ahead.foresee(this.#models, this.#devices.values(), answer);
    }
    if (answer.wakeMs < this.#wakeMs) {
      this.#wakeMs = answer.wakeMs;
      answer.ask({ kind: "wake", atMs: answer.wakeMs });
    }
    return this.#aheadMs === 0 ? answer.effects : answer.effects.map((effect) => earlier(effect, this.#aheadMs));
  }

  /** What it knows of its devices, and how many requests have no place yet. */
  survey(): { readonly devices: readonly DeviceSurvey[]; readonly pending: number } {
    return { devices: [...this.#devices.values()].map(surveyOf), pending: this.#pending.size };
  }

  /** Until a request that came now would have its first token; undefined: no device could run it. */
  firstTokenMs(request: PoolRequest): number | undefined {
    const model = this.#models.get(request.model);
    return model && this.#prospects.firstTokenMs(request, model, this.#nowMs);
  }

  /** When a request like this one could be taken; for whoever is turned away by others than the pool. */
  retryAfterMs(request: PoolRequest): number {
    const model = this.#models.get(request.model);
    return model === undefined
      ? 0
      : this.#prospects.retryAfterMs(request, model, this.#pending.sizeBefore(request), this.#nowMs);
  }

  #decide(event: PoolEvent | HostEvent, answer: Answer): void {
    switch (event.kind) {
      case "arrived":
        return this.#arrived(event.request, answer);
      case "cancelled":
        return this.#cancelled(event.request, answer);
      case "loaded":
      case "loadFailed":
        return this.#loaded(event.device, event.model, event.kind === "loaded", answer);
      case "turnEnded":
        return this.#turnEnded(event.device, event.steps, event.finished, answer);
      case "turnMeasured":
        return this.#turnMeasured(event, answer);
      case "modelLost":
        return this.#modelLost(event.device, event.model, answer);
      case "deviceJoined":
        this.#join(event.device);
        this.#ahead.pin(this.#devices.values());
        return this.#placePending(answer);
      case "deviceLost":
        return this.#deviceLost(event.device, answer);
      case "woken":
        return this.#woken(answer);
      case "reserved":
        this.#reservations.add(event.reservation);
        return this.#reservationsChanged(answer);
      case "reservationEnded":
        this.#reservations.end(event.reservation);
        return this.#reservationsChanged(answer);
      case "moved":
    }
  }

  #join(spec: PoolDevice): void {
    const device = new Device({ ...spec, memoryBytes: spec.memoryBytes * this.#tuning.memoryShare });
    this.#devices.set(spec.id, device);
    this.#reservations.settle(device);
  }

  /** Who waits on a device that is somebody else's now goes elsewhere; who runs there ends there. */
  #reservationsChanged(answer: Answer): void {
    for (const device of this.#devices.values()) {
      this.#reservations.settle(device);
      for (const lane of Array.from(device.busy)) {
        const shut = [...lane.waiting].filter(({ request }) => !isOpenTo(device, request));
        lane.removeAll(shut);
        for (const sequence of shut) this.#placeAgain(sequence, answer);
        lane.refresh();
      }
    }
    this.#placePending(answer);
    for (const device of this.#devices.values()) this.#scheduler.resume(device, answer);
  }

  #arrived(request: PoolRequest, answer: Answer): void {
    const model = this.#models.get(request.model);
    if (model === undefined) return refuse(request, "unknown_model", answer);
    const impossible = this.#prospects.impossible(request, model);
    if (impossible !== undefined) return refuse(request, impossible, answer);
    this.#ahead.asked(request, model, this.#devices.values(), this.#nowMs);
    this.#answers.get(model.id)!.asked(request, this.#nowMs);
    const sequence = new Sequence(
      this.#tuning.relaxes ? this.#prospects.relaxed(request, model) : request,
      this.#nowMs,
    );
    this.#sequences.set(request.id, sequence);
    if (this.#mayPass(request, model) && this.#placeOrRedress(sequence, answer)) return;
    if (this.#wait(sequence, answer)) this.#placePending(answer);
  }

  /**
   * Those that wait come before whoever needs a place of its own. Company for what runs already takes none, unless it would
   * keep a model at work for ever that few share, while a tenant starves that has had less.
   */
  #mayPass(request: PoolRequest, model: PoolModel): boolean {
    if (this.#pending.sizeBefore(request) === 0) return true;
    if (!this.#company.isRunning(request, model)) return false;
    if (this.#tuning.without.includes("fairness")) return true;
    return !this.#company.keepsOut(model, this.#nowMs) || !this.#pending.of(request).hadMore(request.tenant);
  }

  /** For a place, as long as one can still help. Whether it does. */
  #wait(sequence: Sequence, answer: Answer): boolean {
    const out = this.#pending.crowdedOut(sequence);
    if (out !== undefined) this.#giveUp(out, "overloaded", answer);
    if (out === sequence) return false;
    this.#pending.of(sequence.request).add(sequence, this.#lastStartMs(sequence));
    return true;
  }

  #giveUp(sequence: Sequence, reason: RefusalReason, answer: Answer): void {
    const { request } = sequence;
    this.#sequences.delete(request.id);
    if (reason !== "overloaded") return refuse(request, reason, answer);
    const queue = this.#pending.of(request);
    queue.turnAway(request, this.#nowMs);
    if (sequence.chargedMs > 0) queue.refund(request, sequence.chargedMs, this.#nowMs);
    answer.ask({ kind: "refuse", request: request.id, reason, retryAfterMs: this.retryAfterMs(request) });
    // Its model comes too late for it, but not for the next.
    this.#ahead.warm(request, this.#models.get(request.model)!, this.#devices.values(), answer);
  }

  /** Why it comes too late. */
  #lateReason({ request }: Sequence): RefusalReason {
    return this.#prospects.failsToLoad(request, this.#models.get(request.model)!) ? "load_failed" : "overloaded";
  }

  #lastStartMs(sequence: Sequence): number {
    return this.#prospects.lastStartMs(sequence, this.#models.get(sequence.request.model)!);
  }

  #place(sequence: Sequence, answer: Answer): boolean {
    const { request } = sequence;
    const model = this.#models.get(request.model)!;
    const lane = placeRequest({ request, model, leftMs: sequence.dueMs - this.#nowMs }, this.#places, this.#nowMs);
    if (lane === undefined) return false;
    this.#put(sequence, lane, lane.costMs(request), answer);
    return true;
  }

  #put(sequence: Sequence, lane: Lane, costMs: number, answer: Answer): void {
    this.#pending.of(sequence.request).served(sequence.request, costMs, this.#nowMs);
    sequence.chargedMs = costMs;
    lane.addWaiting(sequence, this.#nowMs);
    if (lane.weights === "resident") this.#scheduler.reconsider(lane.device, answer);
    else this.#scheduler.resume(lane.device, answer);
  }

  /** Whoever was turned away, and has had far less than others, has a place even where there is none. */
  #placeOrRedress(sequence: Sequence, answer: Answer): boolean {
    if (this.#place(sequence, answer)) return true;
    const { request } = sequence;
    const isFair = !this.#tuning.without.includes("fairness");
    const queue = this.#pending.of(request);
    if (!isFair || request.isPreemptible === true || !queue.wasTurnedAway(request.tenant, this.#nowMs)) return false;
    // What others have reserved is theirs.
    if (this.#reservations.claimsOf(request).some(({ counts }) => counts !== undefined)) return false;
    const model = this.#models.get(request.model)!;
    const served = (tenant: string): number => queue.servedMs(tenant, this.#nowMs);
    const had = { served, hasStarved: queue.hasStarved(request.tenant, this.#nowMs) };
    const found = redress(request, model, this.#places, had, this.#nowMs);
    if (found === undefined) return false;
    queue.turnAway(request, this.#nowMs);
    found.lane.device.owe(sequence, found.costMs, this.#nowMs, this.#tuning.stintMs);
    this.#put(sequence, found.lane, found.costMs, answer);
    return true;
  }

  /** Requests that found no place may find one now; those that cannot be kept any more are refused. */
  #placePending(answer: Answer): void {
    if (this.#pending.size === 0) return;
    for (const queue of this.#pending.inTurn) {
      for (const sequence of queue.takeExpired(this.#nowMs)) {
        this.#giveUp(sequence, this.#lateReason(sequence), answer);
      }
    }
    const isFair = !this.#tuning.without.includes("fairness");
    const known = new Map<string, boolean>();
    const keepsOut = ({ request: { model } }: Sequence): boolean => {
      const keeps = known.get(model) ?? this.#company.keepsOut(this.#models.get(model)!, this.#nowMs);
      known.set(model, keeps);
      return keeps;
    };
    const place = (sequence: Sequence): boolean => this.#placeOrRedress(sequence, answer);
    for (const queue of this.#pending.inTurn) queue.placeNext(triesMax, isFair, { place, keepsOut });
    if (this.#pending.size > 0) answer.wakeAt(Math.min(this.#pending.firstLastMs, this.#firstRetryMs()));
  }

  /** When the first of the copies that have failed may be tried again. */
  #firstRetryMs(): number {
    let firstMs = Infinity;
    for (const lane of this.#resting) {
      if (lane.notBeforeMs <= this.#nowMs) this.#resting.delete(lane);
      else firstMs = Math.min(firstMs, lane.notBeforeMs);
    }
    return firstMs;
  }

  #laneOn(device: Device, model: PoolModel): Lane {
    let lane = device.lanes.get(model.id);
    if (lane === undefined) {
      const predicted = this.#fleet.speed(model, device.spec);
      const speed = this.#tuning.learns ? this.#learner.speedOf(model, device, predicted) : predicted;
      lane = new Lane(model, device, speed, this.#answers.get(model.id)!);
      device.lanes.set(model.id, lane);
      if ((model.keepWarmMs ?? 0) > 0) device.hasWarm = true;
    }
    return lane;
  }

  #loaded(id: string, model: string, isThere: boolean, answer: Answer): void {
    const device = this.#devices.get(id);
    const lane = device?.lanes.get(model);
    if (device === undefined || lane === undefined || device.loading !== lane) return;
    if (isThere && this.#tuning.learns) this.#learner.copied(lane, answer.nowMs - device.loadingSinceMs);
    this.#scheduler.loaded(lane, isThere, answer);
    if (!isThere) {
      this.#resting.add(lane);
      this.#cannotLoad(lane, answer);
    }
    this.#scheduler.reconsider(device, answer);
  }

  /**
   * Its prompts go somewhere else, or wait there for the next try as long as that can still be in time. After some tries it is
   * over: who waits is refused, and who has tokens ends, because its KV could never be used.
   */
  #cannotLoad(lane: Lane, answer: Answer): void {
    const isOver = lane.failures >= failuresMax;
    const waiting = [...lane.waiting];
    lane.removeAll(waiting);
    for (const sequence of waiting) {
      if (this.#place(sequence, answer)) continue;
      const isInTime = this.#nowMs <= this.#lastStartMs(sequence);
      if (!isOver && (isInTime || sequence.generatedTokens > 0)) lane.addWaiting(sequence, this.#nowMs);
      else if (sequence.generatedTokens > 0) this.#fail(sequence, answer);
      else this.#giveUp(sequence, "load_failed", answer);
    }
    if (isOver) {
      const { running } = lane;
      lane.removeAll(running);
      for (const sequence of running) this.#fail(sequence, answer);
    }
    lane.refresh();
  }

  #fail({ request }: Sequence, answer: Answer, reason?: "preempted"): void {
    this.#sequences.delete(request.id);
    answer.ask({ kind: "fail", request: request.id, ...(reason === undefined ? {} : { reason }) });
  }

  #turnEnded(id: string, steps: number, finished: readonly string[], answer: Answer): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    const over = this.#scheduler.turnEnded(device, steps, new Set(finished), answer);
    for (const { request } of over) this.#sequences.delete(request.id);
    if (over.length > 0) this.#placePending(answer);
    this.#scheduler.resume(device, answer);
  }

  #turnMeasured(measured: MeasuredTurn, answer: Answer): void {
    const device = this.#devices.get(measured.device);
    if (device?.turn === undefined) return;
    if (this.#tuning.learns) this.#learner.measured(device.turn, measured, answer.nowMs);
    const over = this.#scheduler.turnMeasured(device, measured, answer);
    for (const { request } of over) this.#sequences.delete(request.id);
    if (over.length > 0) this.#placePending(answer);
    this.#scheduler.resume(device, answer);
  }

  #cancelled(id: string, answer: Answer): void {
    const sequence = this.#sequences.get(id);
    if (sequence === undefined) return;
    const { lane } = sequence;
    if (lane?.device.turn?.sequences.includes(sequence) === true) {
      sequence.isCancelled = true;
      return;
    }
    this.#sequences.delete(id);
    if (lane === undefined) return this.#pending.of(sequence.request).remove(sequence);
    lane.remove(sequence);
    lane.refresh();
    this.#placePending(answer);
    this.#scheduler.resume(lane.device, answer);
  }

  /** Who had no token yet is placed anew; the others end: nobody could go on with what they had. */
  #deviceLost(id: string, answer: Answer): void {
    const device = this.#devices.get(id);
    if (device === undefined) return;
    this.#devices.delete(id);
    this.#ahead.pin(this.#devices.values());
    const stranded = new Set<Sequence>(device.turn?.sequences);
    for (const { waiting, running } of device.lanes.values())
      for (const each of [...waiting, ...running]) stranded.add(each);
    this.#strand(stranded, answer);
  }

  /** What they had is gone. */
  #strand(stranded: Iterable<Sequence>, answer: Answer): void {
    for (const sequence of stranded) {
      if (sequence.isCancelled) this.#sequences.delete(sequence.request.id);
      else if (sequence.generatedTokens > 0) this.#fail(sequence, answer);
      else this.#placeAgain(sequence, answer);
    }
    this.#placePending(answer);
  }

  /** As with a device, but the others there go on; it is copied again after a pause. */
  #modelLost(id: string, model: string, answer: Answer): void {
    const device = this.#devices.get(id);
    const lane = device?.lanes.get(model);
    if (device === undefined || lane === undefined || lane.weights !== "resident") return;
    const begun = device.turn?.lane === lane && device.turn.kind === "prefill" ? device.turn.sequences : [];
    const stranded = [...begun, ...lane.waiting, ...lane.running];
    this.#scheduler.lost(lane, answer);
    this.#resting.add(lane);
    lane.removeAll(stranded);
    lane.refresh();
    this.#strand(stranded, answer);
    this.#scheduler.resume(device, answer);
  }

  /** Or it waits: then `#placePending` has to come. */
  #placeAgain(sequence: Sequence, answer: Answer): void {
    sequence.lane = undefined;
    const { request } = sequence;
    const impossible = this.#prospects.impossible(request, this.#models.get(request.model)!);
    if (impossible !== undefined) this.#giveUp(sequence, impossible, answer);
    else if (!this.#place(sequence, answer)) this.#wait(sequence, answer);
  }

  #woken(answer: Answer): void {
    // One that an earlier one had taken the place of.
    if (this.#nowMs < this.#wakeMs - roundingMs) return;
    this.#wakeMs = Infinity;
    this.#placePending(answer);
    for (const device of this.#devices.values()) {
      this.#expire(device, answer);
      this.#scheduler.resume(device, answer);
    }
  }

  /** Who waits for weights that are not even being copied, and can have no token in time any more, is refused. */
  #expire(device: Device, answer: Answer): void {
    for (const lane of Array.from(device.busy)) {
      if (lane.weights !== "absent" || lane.running.length > 0) continue;
      const over: Sequence[] = [];
      for (const sequence of lane.waiting) {
        if (sequence.generatedTokens > 0) continue;
        const isOwed = sequence === device.owed;
        const lastMs = this.#lastStartMs(sequence) + (isOwed ? this.#tuning.stintMs : 0);
        if (lastMs >= this.#nowMs) answer.wakeAt(lastMs + 1);
        else over.push(sequence);
      }
      lane.removeAll(over);
      for (const sequence of over) this.#giveUp(sequence, this.#lateReason(sequence), answer);
      lane.refresh();
    }
  }
}

/** By a clock that is behind by so much. */
function earlier(effect: Effect, byMs: number): Effect {
  if (effect.kind === "decode") return { ...effect, untilMs: effect.untilMs - byMs };
  return effect.kind === "wake" ? { ...effect, atMs: effect.atMs - byMs } : effect;
}

function refuse(request: PoolRequest, reason: RefusalReason, answer: Answer): void {
  answer.ask({ kind: "refuse", request: request.id, reason });
}
