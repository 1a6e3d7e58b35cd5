import { chooseLoad, chooseRoom, type Load, unblock } from "./loading.ts";
import { canHold, placeRequest } from "./placement.ts";
import { Pending } from "./pending.ts";
import { prefillMs } from "./speed.ts";
import { Answers, Device, Lane, Sequence } from "./state.ts";
import { chooseTurn } from "./turns.ts";
import { defaultTuning, type Tuning } from "./tuning.ts";
import { idleVictims } from "./victims.ts";
import type { Effect, Fleet, PoolEvent, PoolModel, PoolRequest, RefusalReason, Scheduler } from "./types.ts";

/** More requests than this do not wait for a place: what came later would be given up anyway. */
const pendingMax = 10_000;
/** How many of those that wait are looked at for one event. */
const triesMax = 8;

/**
 * The pool's core. It decides by these rules; docs/reference/pool.md has what each gains.
 *
 * 1. `sharing`: a request goes where its model already runs, as long as its prompt does not wait there for long: a decode
 *    step serves all sequences of a model for little more than one.
 * 2. `promptsFirst`: a prompt is computed as soon as that endangers no promised token, the shortest first. It cannot be
 *    shared and costs the same later; and its sequence joins the next step.
 * 3. `leastSlack`: whoever can wait least is served, and goes on until somebody else cannot wait any more.
 * 4. `lateCopies`: weights are copied in the order in which they are due, beside the turns: at once where idle models make
 *    room, the longest unused first; where a model with work has to leave, as late as the deadlines allow, and only one
 *    that can wait until it is copied back. A model whose copy has come has a turn before it leaves.
 * 5. `lateLast`: a sequence that has missed a token is due again later: what is late stays late, and makes nobody else so.
 * 6. `refusing`: a device takes no request that it could not serve in time: of a new model where the steps and copies of
 *    all would take longer than there is, of any where its prompt would come too late. It waits for a place as long as that
 *    can still help, and is refused then, before it costs anything.
 * 7. `fairness`: among those that wait the tenant is next that has had least of late.
 */
export class Pool implements Scheduler {
  readonly #fleet: Fleet;
  readonly #tuning: Tuning;
  readonly #devices = new Map<string, Device>();
  readonly #deviceList: Device[] = [];
  readonly #models = new Map<string, PoolModel>();
  readonly #sequences = new Map<string, Sequence>();
  readonly #answers = new Map<string, Answers>();
  readonly #pending = new Pending();
  #effects: Effect[] = [];
  #nowMs = 0;
  /** The wake that is under way, and the earliest that this event asks for. */
  #wakeMs = Infinity;
  #wantedMs = Infinity;

  constructor(fleet: Fleet, tuning: Tuning = defaultTuning) {
    this.#fleet = fleet;
    this.#tuning = tuning;
    for (const spec of fleet.devices) {
      const device = new Device({ ...spec, memoryBytes: spec.memoryBytes * tuning.memoryShare });
      this.#devices.set(spec.id, device);
      this.#deviceList.push(device);
    }
    for (const model of fleet.models) {
      this.#models.set(model.id, model);
      this.#answers.set(model.id, new Answers());
    }
  }

  decide(event: PoolEvent, nowMs: number): readonly Effect[] {
    this.#nowMs = nowMs;
    this.#effects = [];
    this.#wantedMs = Infinity;
    switch (event.kind) {
      case "arrived":
        this.#arrived(event.request);
        break;
      case "loaded": {
        const device = this.#devices.get(event.device)!;
        const lane = device.lanes.get(event.model)!;
        lane.weights = "resident";
        lane.isFresh = true;
        device.loading = undefined;
        this.#reconsider(device);
        break;
      }
      case "turnEnded":
        this.#turnEnded(this.#devices.get(event.device)!, event.steps, event.finished);
        break;
      case "moved":
        break;
      case "woken":
        // One that an earlier one had taken the place of.
        if (nowMs < this.#wakeMs) break;
        this.#wakeMs = Infinity;
        this.#placePending();
        for (const device of this.#deviceList) this.#resume(device);
        break;
    }
    if (this.#wantedMs < this.#wakeMs) {
      this.#wakeMs = this.#wantedMs;
      this.#effects.push({ kind: "wake", atMs: this.#wakeMs });
    }
    return this.#effects;
  }

  #arrived(request: PoolRequest): void {
    const model = this.#models.get(request.model);
    if (model === undefined) return this.#refuse(request, "unknown_model");
    if (!this.#deviceList.some((device) => canHold(device, this.#laneOn(device, model), request))) {
      return this.#refuse(request, "model_too_large");
    }
    const sequence = new Sequence(request, this.#nowMs);
    this.#sequences.set(request.id, sequence);
    // Those that wait come before whoever needs a place of its own; company for what runs already takes none.
    if ((this.#pending.size === 0 || this.#isRunning(model)) && this.#place(sequence, model)) return;
    if (this.#pending.size >= pendingMax) return this.#giveUp(sequence);
    this.#pending.add(sequence, sequence.dueMs - this.#giveUpMs(sequence));
    this.#placePending();
  }

  #isRunning(model: PoolModel): boolean {
    return this.#deviceList.some((device) => device.lanes.get(model.id)?.hasWork === true);
  }

  #giveUp(sequence: Sequence): void {
    this.#sequences.delete(sequence.request.id);
    this.#refuse(sequence.request, "overloaded");
  }

  #giveUpMs(sequence: Sequence): number {
    const model = this.#models.get(sequence.request.model)!;
    const [device] = this.#deviceList;
    const speed = this.#fleet.speed(model, device!.spec);
    return prefillMs(speed, sequence.request.inputTokens) + speed.loadMs;
  }

  #refuse(request: PoolRequest, reason: RefusalReason): void {
    this.#effects.push({ kind: "refuse", request: request.id, reason });
  }

  #place(sequence: Sequence, model: PoolModel): boolean {
    const laneOn = (device: Device): Lane => this.#laneOn(device, model);
    const lane = placeRequest(sequence.request, this.#deviceList, laneOn, this.#nowMs, this.#tuning);
    if (lane === undefined) return false;
    sequence.lane = lane;
    const { tenant, inputTokens, maxOutputTokens } = sequence.request;
    const outputTokens = Math.min(maxOutputTokens, lane.answers.meanTokens);
    this.#pending.served(tenant, inputTokens + outputTokens, this.#nowMs);
    insertByDue(lane.waiting, sequence);
    lane.tpotMs = Math.min(lane.tpotMs, sequence.request.objective.tpotMs);
    lane.device.busy.add(lane);
    if (lane.weights === "resident") this.#reconsider(lane.device);
    else this.#resume(lane.device);
    return true;
  }

  /** Requests that found no place may find one now; those that cannot be kept any more are refused. */
  #placePending(): void {
    for (const sequence of this.#pending.takeExpired(this.#nowMs)) this.#giveUp(sequence);
    if (this.#pending.size === 0) return;
    const isFair = !this.#tuning.without.includes("fairness");
    for (const sequence of this.#pending.next(this.#nowMs, triesMax, isFair)) {
      if (this.#place(sequence, this.#models.get(sequence.request.model)!)) this.#pending.remove(sequence);
    }
    this.#wakeAt(this.#pending.firstLastMs);
  }

  #laneOn(device: Device, model: PoolModel): Lane {
    let lane = device.lanes.get(model.id);
    if (lane === undefined) {
      lane = new Lane(model, device, this.#fleet.speed(model, device.spec), this.#answers.get(model.id)!);
      device.lanes.set(model.id, lane);
    }
    return lane;
  }

  #turnEnded(device: Device, steps: number, finished: readonly string[]): void {
    const turn = device.turn;
    if (turn === undefined) return;
    device.turn = undefined;
    device.turnBytes = 0;
    const { lane } = turn;
    lane.lastUsedMs = this.#nowMs;
    for (const id of finished) this.#finish(this.#sequences.get(id)!, lane, turn.kind === "prefill" ? 1 : undefined);
    if (turn.kind === "prefill") {
      for (const sequence of turn.sequences)
        if (this.#sequences.has(sequence.request.id)) this.#prefilled(sequence, lane);
    } else {
      const firstMs = turn.startedMs + turn.stepMs;
      for (const sequence of lane.running) {
        if (sequence.dueMs < firstMs) sequence.isLate = true;
        this.#advance(sequence, steps);
        this.#setContext(lane, steps);
      }
    }
    this.#refreshLane(lane);
    if (finished.length > 0) this.#placePending();
    this.#resume(device);
  }

  #prefilled(sequence: Sequence, lane: Lane): void {
    sequence.isPrefilled = true;
    lane.running.push(sequence);
    this.#advance(sequence, 1);
    this.#setContext(lane, sequence.contextTokens);
  }

  #advance(sequence: Sequence, tokens: number): void {
    const { tpotMs } = sequence.request.objective;
    sequence.generatedTokens += tokens;
    sequence.dueMs += tokens * tpotMs;
    if (sequence.dueMs - tpotMs < this.#nowMs) sequence.isLate = true;
    if (sequence.isLate && !this.#tuning.without.includes("lateLast"))
      sequence.dueMs = this.#nowMs + this.#tuning.lateMs;
  }

  #setContext(lane: Lane, tokens: number): void {
    lane.contextTokens += tokens;
    lane.device.kvBytes += tokens * lane.model.kvBytesPerToken;
  }

  #finish(sequence: Sequence, lane: Lane, tokens: number | undefined): void {
    this.#sequences.delete(sequence.request.id);
    if (tokens === undefined) {
      lane.running.splice(lane.running.indexOf(sequence), 1);
      this.#setContext(lane, -sequence.contextTokens);
    }
    lane.answers.ended(sequence.generatedTokens);
  }

  #refreshLane(lane: Lane): void {
    let dueMs = Infinity;
    let tpotMs = Infinity;
    for (const sequence of lane.running) {
      if (sequence.dueMs < dueMs) dueMs = sequence.dueMs;
      if (sequence.request.objective.tpotMs < tpotMs) tpotMs = sequence.request.objective.tpotMs;
    }
    for (const { request } of lane.waiting) if (request.objective.tpotMs < tpotMs) tpotMs = request.objective.tpotMs;
    lane.dueMs = dueMs;
    lane.tpotMs = tpotMs;
    if (lane.hasWork) lane.device.busy.add(lane);
    else lane.device.busy.delete(lane);
  }

  /** Something about a device has changed: what it should do now. A turn under way is thought over where it may change. */
  #reconsider(device: Device): void {
    const { turn } = device;
    if (turn === undefined) return this.#resume(device);
    this.#load(device);
    if (turn.kind === "prefill" || turn.isStopping) return;
    turn.isStopping = true;
    this.#effects.push({ kind: "stop", device: device.spec.id });
  }

  /** What an idle device does; and a copy may have become due beside a turn. */
  #resume(device: Device): void {
    // Between two turns the model that has just had one can leave.
    this.#load(device);
    if (device.turn === undefined) {
      this.#clear(device);
      this.#startTurn(device);
    }
    if (device.turn === undefined && device.loading === undefined && device.busy.size > 0) this.#unblock(device);
  }

  #load(device: Device): void {
    const load = chooseLoad(device, this.#nowMs, this.#tuning);
    if (load === undefined) return;
    if ("wakeMs" in load) this.#wakeAt(load.wakeMs);
    else this.#begin(load, device);
  }

  /** Room for a prompt whose model is there. */
  #clear(device: Device): void {
    const room = chooseRoom(device, this.#nowMs, this.#tuning);
    if (room === undefined) return;
    if ("wakeMs" in room) return this.#wakeAt(room.wakeMs);
    for (const lane of room.evicted) this.#evict(lane);
  }

  #begin({ lane, evicted }: Load, device: Device): void {
    for (const other of evicted) this.#evict(other);
    lane.weights = "loading";
    device.loading = lane;
    device.weightsBytes += lane.model.weightsBytes;
    this.#effects.push({ kind: "load", device: device.spec.id, model: lane.model.id });
  }

  #evict(lane: Lane): void {
    lane.weights = "absent";
    lane.device.weightsBytes -= lane.model.weightsBytes;
    this.#effects.push({ kind: "evict", device: lane.device.spec.id, model: lane.model.id });
  }

  /** Nothing runs, nothing is copied, and there is work: somebody has to leave, whoever waits for whom. */
  #unblock(device: Device): void {
    const way = unblock(device);
    if (way === undefined) return;
    for (const sequence of way.dropped) this.#drop(sequence);
    if (way.lane.weights === "absent") return this.#begin(way, device);
    for (const lane of way.evicted) this.#evict(lane);
    this.#startTurn(device);
  }

  #drop(sequence: Sequence): void {
    const lane = sequence.lane!;
    lane.running.splice(lane.running.indexOf(sequence), 1);
    this.#setContext(lane, -sequence.contextTokens);
    sequence.isPrefilled = false;
    insertByDue(lane.waiting, sequence);
    this.#refreshLane(lane);
    this.#effects.push({ kind: "drop", request: sequence.request.id });
  }

  #startTurn(device: Device): void {
    const choice = chooseTurn(device, this.#nowMs, this.#tuning, (lane, sequence) => this.#fits(lane, sequence));
    if (choice === undefined) return;
    const { lane } = choice;
    lane.isFresh = false;
    const [deviceId, model] = [device.spec.id, lane.model.id];
    if (choice.kind === "prefill") {
      for (const { contextTokens } of choice.sequences) {
        device.turnBytes += (contextTokens + 1) * lane.model.kvBytesPerToken;
        device.prompted(prefillMs(lane.speed, contextTokens), this.#nowMs);
      }
      lane.waiting = lane.waiting.filter((sequence) => !choice.sequences.includes(sequence));
      device.turn = choice;
      const requests = choice.sequences.map(({ request }) => request.id);
      this.#effects.push({ kind: "prefill", device: deviceId, model, requests });
    } else {
      device.turnBytes = this.#makeRoom(lane, choice.untilMs);
      device.turn = { kind: "decode", lane, startedMs: this.#nowMs, stepMs: lane.stepMs(), isStopping: false };
      const requests = lane.running.map(({ request }) => request.id);
      this.#effects.push({ kind: "decode", device: deviceId, model, requests, untilMs: choice.untilMs });
    }
  }

  /**
   * Bytes that a turn's tokens need. Idle models leave for them, then the sequences that can wait longest are given up; one
   * that is alone has room, or it would not have been taken.
   */
  #makeRoom(lane: Lane, untilMs: number): number {
    const { device, model } = lane;
    const steps = Math.ceil((untilMs - this.#nowMs) / lane.stepMs()) + 1;
    const neededBytes = (): number => lane.running.length * steps * model.kvBytesPerToken;
    if (neededBytes() <= device.freeBytes) return neededBytes();
    for (const victim of idleVictims(device, neededBytes()) ?? []) this.#evict(victim);
    const patient = [...device.busy].flatMap(({ running }) => running).sort((a, b) => b.dueMs - a.dueMs);
    for (const sequence of patient) {
      if (neededBytes() <= device.freeBytes) break;
      if (lane.running.length > 1 || sequence.lane !== lane) this.#drop(sequence);
    }
    return neededBytes();
  }

  /** Whether its KV has room; idle models leave for it. */
  #fits(lane: Lane, sequence: Sequence): boolean {
    const bytes = this.#promptBytes(lane, sequence);
    if (bytes <= lane.device.freeBytes) return true;
    const victims = idleVictims(lane.device, bytes);
    if (victims === undefined) return false;
    for (const victim of victims) this.#evict(victim);
    return true;
  }

  #promptBytes(lane: Lane, { contextTokens, request }: Sequence): number {
    return lane.kvBytesOf(contextTokens, request.maxOutputTokens);
  }

  #wakeAt(atMs: number): void {
    if (atMs === Infinity) return;
    this.#wantedMs = Math.min(this.#wantedMs, Math.max(atMs, this.#nowMs));
  }
}

function insertByDue(sequences: Sequence[], sequence: Sequence): void {
  let at = sequences.length;
  while (at > 0 && sequences[at - 1]!.dueMs > sequence.dueMs) at--;
  sequences.splice(at, 0, sequence);
}
