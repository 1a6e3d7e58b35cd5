import type { Answer } from "./answer.ts";
import { chooseLoad, chooseRoom, type Load, unblock } from "./loading.ts";
import { givesWayTo, yieldingTo } from "./giving-way.ts";
import type { MeasuredTurn } from "./host-events.ts";
import { prefillMs } from "./speed.ts";
import type { Device, Lane, Sequence, Turn } from "./state.ts";
import { chooseTurn } from "./turns.ts";
import type { Tuning } from "./tuning.ts";
import { byPatience, canWaitLonger, idleVictims } from "./victims.ts";

/** How long a model's copy is not tried again after it has failed; doubled each time, up to the last. */
const firstRetryMs = 1_000;
const lastRetryMs = 60_000;

/** After so long in turns of its own without a token, beyond so many times what its prompt should take, a sequence is given up. */
const hungMs = 300_000;
const timesPredicted = 10;

/** A usual answer. */
const usualTokens = 256;

/** What a turn may add to the KV. */
interface Growth {
  readonly bytes: number;
  readonly untilMs: number;
}

/** The lower level: whose turn it is on a device, and which weights are on it. */
export class DeviceScheduler {
  readonly #tuning: Tuning;
  readonly #fail: (sequence: Sequence, answer: Answer, reason?: "preempted") => void;

  /** `fail`: a sequence can never go on. */
  constructor(tuning: Tuning, fail: (sequence: Sequence, answer: Answer, reason?: "preempted") => void) {
    this.#tuning = tuning;
    this.#fail = fail;
  }

  /** Something about a device has changed: what it should do now. A turn under way is thought over where it may change. */
  reconsider(device: Device, answer: Answer): void {
    const { turn } = device;
    if (turn === undefined) return this.resume(device, answer);
    this.#load(device, answer);
    this.#stop(device, () => true, answer);
  }

  #stop(device: Device, isMeant: (turn: Turn) => boolean, answer: Answer): void {
    const { turn } = device;
    if (turn === undefined || turn.kind === "prefill" || turn.isStopping || !isMeant(turn)) return;
    turn.isStopping = true;
    answer.ask({ kind: "stop", device: device.spec.id });
  }

  /** What an idle device does; and a copy may have become due beside a turn. */
  resume(device: Device, answer: Answer): void {
    // Between two turns the model that has just had one can leave.
    this.#load(device, answer);
    if (device.turn === undefined) {
      this.#clear(device, answer);
      this.#startTurn(device, answer);
    }
    if (device.turn === undefined && device.loading === undefined && device.busy.size > 0)
      this.#unblock(device, answer);
  }

  /** Copies a model that has no work yet, in the place of models that have had none for longer than two copies take. */
  warm(lane: Lane, answer: Answer): void {
    const { device, model, speed } = lane;
    const evicted = idleVictims(device, model.weightsBytes, answer.nowMs);
    const isUsed = evicted?.some(({ lastUsedMs }) => lastUsedMs > answer.nowMs - 2 * speed.loadMs);
    if (evicted !== undefined && isUsed === false) this.#begin({ lane, evicted }, device, answer);
  }

  /** Copies a model that nobody has asked for, where it takes nobody's place; or nobody's who has work, where it is pinned. */
  preload(lane: Lane, answer: Answer): boolean {
    const { device, model } = lane;
    const room = lane.isPinned ? idleVictims(device, model.weightsBytes, answer.nowMs, lane.restMs) : [];
    const isThere = room !== undefined && (room.length > 0 || model.weightsBytes <= device.freeBytes);
    if (isThere) this.#begin({ lane, evicted: room }, device, answer);
    return isThere;
  }

  /** Models that nobody has used for as long as they may idle leave. */
  unloadIdle(device: Device, answer: Answer): void {
    for (const lane of device.lanes.values()) {
      const { unloadAfterMs } = lane.model;
      if (unloadAfterMs === undefined || !lane.canLeave || lane.hasWork) continue;
      if (lane.lastUsedMs + unloadAfterMs <= answer.nowMs) this.#evict(lane, answer);
      else answer.wakeAt(lane.lastUsedMs + unloadAfterMs);
    }
  }

  /** A copy is there, or has failed. */
  loaded(lane: Lane, isThere: boolean, answer: Answer): void {
    const { device } = lane;
    device.loading = undefined;
    if (isThere) {
      lane.weights = "resident";
      lane.isFresh = true;
      lane.lastUsedMs = answer.nowMs;
      lane.failures = 0;
      lane.restMs = 0;
    } else this.#rest(lane, answer);
  }

  /** The weights are gone without having been evicted. */
  lost(lane: Lane, answer: Answer): void {
    const { device } = lane;
    if (device.turn?.lane === lane) this.#takeTurn(device, answer.nowMs);
    this.#rest(lane, answer);
  }

  #rest(lane: Lane, answer: Answer): void {
    lane.weights = "absent";
    lane.isDraining = false;
    lane.device.weightsBytes -= lane.model.weightsBytes;
    lane.restMs = Math.min(lastRetryMs, firstRetryMs * 2 ** lane.failures);
    lane.notBeforeMs = answer.nowMs + lane.restMs;
    lane.failures++;
  }

  /**
   * The turn under way has ended: each of its sequences that is not in `finished` has got `steps` tokens. Returns those that
   * are over, and those that are gone because whoever asked has left.
   */
  turnEnded(device: Device, steps: number, finished: ReadonlySet<string>, answer: Answer): readonly Sequence[] {
    const turn = this.#takeTurn(device, answer.nowMs);
    if (turn === undefined) return [];
    const { lane } = turn;
    const over = turn.sequences.filter(({ request, isCancelled }) => isCancelled || finished.has(request.id));
    lane.removeAll(over);
    for (const sequence of over) {
      if (finished.has(sequence.request.id)) lane.answers.ended(sequence.generatedTokens + steps);
    }
    if (turn.kind === "prefill") {
      const gone = new Set(over);
      for (const sequence of turn.sequences) {
        if (gone.has(sequence)) continue;
        sequence.generatedTokens++;
        lane.addRunning(sequence);
        this.#given(sequence, 1, answer.nowMs);
      }
    } else {
      lane.step(steps);
      const firstMs = turn.startedMs + turn.stepMs;
      for (const sequence of lane.running) {
        if (sequence.dueMs < firstMs) sequence.isLate = true;
        this.#given(sequence, steps, answer.nowMs);
      }
    }
    lane.refresh();
    this.#letOthersIn(device);
    return over;
  }

  /** The same on a real machine; see `MeasuredTurn`. */
  turnMeasured(device: Device, { tokens, finished }: MeasuredTurn, answer: Answer): readonly Sequence[] {
    const turn = this.#takeTurn(device, answer.nowMs);
    if (turn === undefined) return [];
    const { lane } = turn;
    if (turn.kind === "prefill") {
      for (const sequence of turn.sequences) {
        sequence.promptLeftMs = prefillMs(lane.speed, sequence.contextTokens);
        lane.addRunning(sequence);
      }
    }
    const prompts = lane.running.filter(({ promptLeftMs }) => promptLeftMs > 0);
    const durationMs = answer.nowMs - turn.startedMs;
    const spentMs = durationMs / Math.max(1, prompts.length);
    const partMs = durationMs / Math.max(1, lane.running.length);
    for (const sequence of prompts) {
      // Of one that hangs nothing follows for those that will come.
      if (sequence.promptSpentMs > timesPredicted * prefillMs(lane.speed, sequence.contextTokens)) continue;
      device.prompted(partMs, sequence.request.isPreemptible === true ? partMs : 0, answer.nowMs);
    }
    for (const sequence of prompts) {
      sequence.promptSpentMs += spentMs;
      sequence.promptLeftMs = Math.max(1, sequence.promptLeftMs - spentMs);
    }
    for (const sequence of lane.running) {
      const given = tokens.get(sequence.request.id) ?? 0;
      if (given === 0) {
        this.#silent(sequence, durationMs, answer.nowMs);
        continue;
      }
      sequence.silentMs = 0;
      sequence.promptLeftMs = 0;
      lane.give(sequence, given);
      this.#given(sequence, given, answer.nowMs);
    }
    const over = lane.running.filter(({ request, isCancelled }) => isCancelled || finished.has(request.id));
    const isHung = ({ silentMs, contextTokens }: Sequence): boolean =>
      silentMs > hungMs + timesPredicted * prefillMs(lane.speed, contextTokens);
    const hung = lane.running.filter((sequence) => isHung(sequence) && !over.includes(sequence));
    lane.removeAll([...over, ...hung]);
    for (const sequence of hung) this.#fail(sequence, answer);
    for (const sequence of over) {
      if (!sequence.isCancelled && sequence.generatedTokens > 0) lane.answers.ended(sequence.generatedTokens);
    }
    lane.refresh();
    this.#letOthersIn(device);
    return over;
  }

  /** The turn under way, which is over. */
  #takeTurn(device: Device, nowMs: number): Turn | undefined {
    const { turn } = device;
    if (turn === undefined) return undefined;
    device.turn = undefined;
    device.turnBytes = 0;
    turn.lane.lastUsedMs = nowMs;
    turn.lane.lastTurnMs = nowMs;
    return turn;
  }

  /** One that got nothing although it had turns until it was due: its engine may hang, and is to keep nobody else from a turn. */
  #silent(sequence: Sequence, durationMs: number, nowMs: number): void {
    sequence.silentMs += durationMs;
    if (sequence.dueMs >= nowMs) return;
    sequence.isLate = true;
    if (!this.#tuning.without.includes("lateLast")) sequence.dueMs = nowMs + this.#tuning.lateMs;
  }

  /**
   * Whoever was let in although there was no time keeps others out until it has a usual answer. A longer one goes on like any
   * other; one from whose engine nothing comes has had its chance.
   */
  #letOthersIn(device: Device): void {
    const { owed } = device;
    if (owed === undefined) return;
    if (owed.generatedTokens >= usualTokens || owed.silentMs > this.#tuning.lateMs) device.owed = undefined;
  }

  #given(sequence: Sequence, tokens: number, nowMs: number): void {
    const { tpotMs } = sequence.request.objective;
    sequence.dueMs += tokens * tpotMs;
    if (sequence.dueMs - tpotMs < nowMs) sequence.isLate = true;
    const isLast = sequence.isLate && !this.#tuning.without.includes("lateLast");
    if (isLast) sequence.dueMs = nowMs + this.#tuning.lateMs;
  }

  #load(device: Device, answer: Answer): void {
    for (const lane of device.busy) this.#takePlaces(lane, answer);
    if (device.reservedFor !== undefined && device.loading === undefined)
      this.#preempt(device, device.reservedFor, answer);
    // While a copy is under way those that make room for the next go on doing so.
    if (device.loading !== undefined) return;
    const load = chooseLoad(device, answer.nowMs, this.#tuning);
    const drained = load !== undefined && "drained" in load ? load.drained : [];
    if (drained.length > 0 || device.hasDraining) {
      // Also whose work has ended meanwhile: it would begin nothing when it has some again.
      for (const lane of device.lanes.values()) lane.isDraining = drained.includes(lane);
      device.hasDraining = drained.length > 0;
    }
    if (load === undefined) return;
    if ("wakeMs" in load) answer.wakeAt(load.wakeMs);
    else this.#begin(load, device, answer);
  }

  /**
   * Whose model has no room on the device that he has reserved takes it from what others run there. Where an engine cannot
   * keep its KV it ends: it was promised nothing else.
   */
  #preempt(device: Device, holder: string, answer: Answer): void {
    const { nowMs } = answer;
    const absent = [...device.busy].find(
      (lane) => lane.weights === "absent" && lane.notBeforeMs <= nowMs && lane.serves(holder),
    );
    if (absent === undefined || idleVictims(device, absent.model.weightsBytes, nowMs) !== undefined) return;
    this.#stop(device, ({ lane }) => givesWayTo(lane, holder), answer);
    for (const lane of device.busy) {
      if (lane.weights !== "resident" || !givesWayTo(lane, holder) || device.turn?.lane === lane) continue;
      for (const sequence of lane.running.slice()) this.#takeKv(sequence, answer);
      if (lane.canLeave) this.#evict(lane, answer);
    }
  }

  /** What gives way makes places and memory for prompts that do not and whose models are there: who has got least first. */
  #takePlaces(lane: Lane, answer: Answer): void {
    const { device } = lane;
    const { first } = lane.waiting;
    if (first === undefined || lane.weights !== "resident") return;
    const hasRoom = (): boolean =>
      lane.freePlacesFor(first, answer.nowMs) > 0 && lane.firstPromptBytes <= device.freeBytes;
    if (hasRoom()) return;
    const yielding = [...device.busy].flatMap((other) => yieldingTo(first.request, other));
    if (yielding.length === 0) return;
    // Those of a turn under way when it has ended.
    this.#stop(device, () => true, answer);
    const idle = yielding.filter((sequence) => sequence.lane !== device.turn?.lane);
    for (const sequence of idle.sort((a, b) => a.generatedTokens - b.generatedTokens)) {
      if (hasRoom()) break;
      if (sequence.lane === lane || lane.firstPromptBytes > device.freeBytes) this.#takeKv(sequence, answer);
    }
  }

  /** Room for a prompt whose model is there. */
  #clear(device: Device, answer: Answer): void {
    const room = chooseRoom(device, answer.nowMs, this.#tuning);
    if (room === undefined) return;
    if ("wakeMs" in room) return answer.wakeAt(room.wakeMs);
    for (const lane of room.evicted) this.#evict(lane, answer);
  }

  #begin({ lane, evicted }: Load, device: Device, answer: Answer): void {
    for (const other of evicted) this.#evict(other, answer);
    lane.weights = "loading";
    device.loading = lane;
    device.loadingSinceMs = answer.nowMs;
    device.weightsBytes += lane.model.weightsBytes;
    answer.ask({ kind: "load", device: device.spec.id, model: lane.model.id });
  }

  #evict(lane: Lane, answer: Answer): void {
    lane.weights = "absent";
    lane.isDraining = false;
    lane.device.weightsBytes -= lane.model.weightsBytes;
    answer.ask({ kind: "evict", device: lane.device.spec.id, model: lane.model.id });
  }

  /** Nothing runs, nothing is copied, and there is work: somebody has to leave, whoever waits for whom. */
  #unblock(device: Device, answer: Answer): void {
    const way = unblock(device, answer.nowMs);
    if (way === undefined) return;
    if ("wakeMs" in way) return answer.wakeAt(way.wakeMs);
    for (const sequence of way.dropped) this.#takeKv(sequence, answer);
    if (way.lane.weights === "absent") return this.#begin(way, device, answer);
    for (const lane of way.evicted) this.#evict(lane, answer);
    this.#startTurn(device, answer);
  }

  /** Its KV goes, and is computed again; where the engine cannot do that, it ends. */
  #takeKv(sequence: Sequence, answer: Answer): void {
    const lane = sequence.lane!;
    lane.remove(sequence);
    if (lane.device.setsAside)
      this.#fail(sequence, answer, sequence.request.isPreemptible === true ? "preempted" : undefined);
    else {
      lane.addWaiting(sequence, answer.nowMs);
      answer.ask({ kind: "drop", request: sequence.request.id });
    }
    lane.refresh();
  }

  #startTurn(device: Device, answer: Answer): void {
    const fits = (lane: Lane, bytes: number): boolean => this.#fits(lane, bytes, answer);
    const choice = chooseTurn(device, answer.nowMs, this.#tuning, fits);
    if (choice === undefined) return;
    const { lane } = choice;
    const [id, model] = [device.spec.id, lane.model.id];
    if (choice.kind === "prefill") {
      lane.isFresh = false;
      for (const sequence of choice.sequences) {
        const { contextTokens } = sequence;
        device.turnBytes += lane.heldBytesOf(sequence) + (device.setsAside ? 0 : lane.model.kvBytesPerToken);
        if (this.#tuning.learns) continue;
        const promptMs = prefillMs(lane.speed, contextTokens);
        device.prompted(promptMs, sequence.request.isPreemptible === true ? promptMs : 0, answer.nowMs);
      }
      lane.begin(choice.sequences);
      device.turn = { ...choice, startedMs: answer.nowMs };
      answer.ask({ kind: "prefill", device: id, model, requests: choice.sequences.map(({ request }) => request.id) });
      return;
    }
    const growth = this.#makeRoom(lane, choice.untilMs, answer);
    if (growth === undefined) return;
    const { untilMs } = growth;
    device.turnBytes = growth.bytes;
    lane.isFresh = false;
    const sequences = [...lane.running];
    device.turn = {
      kind: "decode",
      lane,
      sequences,
      startedMs: answer.nowMs,
      stepMs: lane.stepMs(),
      contextTokens: lane.contextTokens,
      isStopping: false,
    };
    answer.ask({ kind: "decode", device: id, model, requests: sequences.map(({ request }) => request.id), untilMs });
  }

  /**
   * Bytes that a turn's tokens need, and until when there is room for them. Idle models leave for them, then the sequences
   * that can wait longest are given up, then whatever can leave does, because one that is alone was promised the room. A copy
   * under way cannot: the turn has fewer steps then. Undefined: not one.
   */
  #makeRoom(lane: Lane, untilMs: number, answer: Answer): Growth | undefined {
    const { device, model } = lane;
    const { nowMs } = answer;
    // What its tokens will need is set aside.
    if (device.setsAside) return { bytes: 0, untilMs };
    let steps = Math.ceil((untilMs - nowMs) / lane.stepMs()) + 1;
    const stepBytes = (): number => lane.running.length * model.kvBytesPerToken;
    const hasRoom = (): boolean => steps * stepBytes() <= device.freeBytes;
    if (hasRoom()) return { bytes: steps * stepBytes(), untilMs };
    steps = Math.min(steps, Math.max(...lane.running.map(({ tokensLeftMax }) => tokensLeftMax)));
    for (const victim of idleVictims(device, steps * stepBytes(), nowMs) ?? []) this.#evict(victim, answer);
    const patient = [...device.busy].flatMap(({ running }) => running).sort(canWaitLonger);
    for (const sequence of patient) {
      if (hasRoom()) break;
      if (lane.running.length > 1 || sequence.lane !== lane) this.#takeKv(sequence, answer);
    }
    for (const other of byPatience(device)) {
      if (hasRoom()) break;
      if (other !== lane) this.#evict(other, answer);
    }
    if (hasRoom()) return { bytes: steps * stepBytes(), untilMs };
    steps = Math.floor(device.freeBytes / stepBytes());
    if (steps < 1) return undefined;
    return { bytes: steps * stepBytes(), untilMs: nowMs + (steps - 1) * lane.stepMs() };
  }

  /** Whether prompts' KV has room; idle models leave for it. */
  #fits(lane: Lane, bytes: number, answer: Answer): boolean {
    if (bytes <= lane.device.freeBytes) return true;
    const victims = idleVictims(lane.device, bytes, answer.nowMs);
    if (victims === undefined) return false;
    for (const victim of victims) this.#evict(victim, answer);
    return true;
  }
}
