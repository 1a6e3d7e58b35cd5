import { Members } from "./members.ts";
import { Prompts } from "./prompts.ts";
import { prefillMs, stepMs } from "./speed.ts";
import type { PoolDevice, PoolModel, PoolRequest, Speed } from "./types.ts";

/** A request while the pool has it. */
export class Sequence {
  readonly request: PoolRequest;
  /** Tokens given so far; what a computed prompt and they need of KV is on the device. */
  generatedTokens = 0;
  /** When the next token is due. For one that has missed a token, when it is due now at the latest. */
  dueMs: number;
  /** On a real machine: what is left of its prompt, which is computed in several turns; and what they took so far. */
  promptLeftMs = 0;
  promptSpentMs = 0;
  /** How long its turns since its last token took: on a real machine an engine may hang. */
  silentMs = 0;
  /** What its tenant was charged for it when it was taken. */
  chargedMs = 0;
  /** It has missed a token: nothing that is done for it makes up for that. */
  isLate = false;
  /** Whoever asked has left; it goes when its turn is over. */
  isCancelled = false;
  lane: Lane | undefined;

  constructor(request: PoolRequest, arrivedMs: number) {
    this.request = request;
    this.dueMs = arrivedMs + request.objective.ttftMs;
  }

  get contextTokens(): number {
    return this.request.inputTokens + this.generatedTokens;
  }

  /** More will not come. */
  get tokensLeftMax(): number {
    return this.request.maxOutputTokens - this.generatedTokens;
  }
}

/** How long an answer is expected to be of a model that has given none. */
const firstAnswerTokens = 256;

/** So long a model counts as asked by those who do not give way. */
const firmMemoryMs = 900_000;

/** How long a model's answers are, and what those who do not give way ask of it. */
export class Answers {
  /** Of late, the latest counting most. */
  meanTokens = firstAnswerTokens;
  #count = 0;
  #firmTpotMs = Infinity;
  #firmUntilMs = -Infinity;

  ended(tokens: number): void {
    this.#count++;
    this.meanTokens += Math.max(0.02, 1 / this.#count) * (tokens - this.meanTokens);
  }

  asked({ objective, isPreemptible }: PoolRequest, nowMs: number): void {
    if (isPreemptible === true) return;
    this.#firmTpotMs = this.expectsFirm(nowMs) ? Math.min(this.#firmTpotMs, objective.tpotMs) : objective.tpotMs;
    this.#firmUntilMs = nowMs + firmMemoryMs;
  }

  /** Whether somebody may come who does not give way. */
  expectsFirm(nowMs: number): boolean {
    return nowMs < this.#firmUntilMs;
  }

  /** How long a step may take for a request: what gives way leaves room for those who may come and do not. */
  tpotMsFor({ objective, isPreemptible }: PoolRequest, nowMs: number): number {
    const isBounded = isPreemptible === true && this.expectsFirm(nowMs);
    return isBounded ? Math.min(objective.tpotMs, this.#firmTpotMs) : objective.tpotMs;
  }
}

/** One model on one device: where its weights are, and whose turn it is to be with them. */
export class Lane {
  readonly model: PoolModel;
  readonly device: Device;
  /** As it is known by now: hosts may have measured other times than were predicted. */
  speed: Speed;
  readonly answers: Answers;
  /** Prompts that are not computed yet, the earliest due first. */
  readonly waiting = new Prompts<Sequence>(this);
  /** Sequences whose KV is here. */
  running: Sequence[] = [];
  weights: "absent" | "loading" | "resident" = "absent";
  /** It has had no turn since its weights came: it does not leave before it had one. */
  isFresh = false;
  /** It begins no prompt, so that it can leave once it runs nothing. */
  isDraining = false;
  lastUsedMs = 0;
  /** Since when it has had work all the time. */
  atWorkSinceMs = 0;
  /** When its last turn ended; undefined: it had none. */
  lastTurnMs: number | undefined;
  /** Copies that have failed one after the other, and when the next may be tried. */
  failures = 0;
  notBeforeMs = -Infinity;
  /** How long it rests after its last failure: nobody who was used since then leaves for another try. */
  restMs = 0;
  /** Tokens of context that the running ones have together. */
  contextTokens = 0;
  /** When the first of the running ones' next tokens is due. */
  dueMs = Infinity;
  /** Of the running ones that have missed none: when their next tokens are due, added up, and how many they are. */
  #dueSumMs = 0;
  #inTime = 0;
  /** The shortest time between tokens that one of its requests was promised. */
  tpotMs = Infinity;
  /** The shortest time to its first token that one of its requests was promised. */
  ttftMs = Infinity;
  /** What is left of running prompts, which are computed in several turns. */
  promptsLeftMs = 0;
  /** All that wait and run. */
  readonly #members = new Members();
  /** See `tokensLeft`; undefined after the running ones have changed. */
  #tokensLeft: { readonly meanTokens: number; readonly most: number } | undefined;

  constructor(model: PoolModel, device: Device, speed: Speed, answers: Answers) {
    this.answers = answers;
    this.model = model;
    this.device = device;
    this.speed = speed;
  }

  /** A prompt has to be computed. */
  addWaiting(sequence: Sequence, nowMs: number): void {
    if (!this.device.busy.has(this)) this.atWorkSinceMs = nowMs;
    sequence.lane = this;
    this.waiting.add(sequence);
    this.#members.add(sequence.request);
    this.tpotMs = Math.min(this.tpotMs, sequence.request.objective.tpotMs);
    this.ttftMs = Math.min(this.ttftMs, sequence.request.objective.ttftMs);
    this.device.busy.add(this);
  }

  /** Its prompt is computed, and its KV is here. */
  addRunning(sequence: Sequence): void {
    this.running.push(sequence);
    this.#members.add(sequence.request);
    this.#tokensLeft = undefined;
    this.contextTokens += sequence.contextTokens;
    this.device.kvBytes += this.heldBytesOf(sequence);
  }

  /** It is over, or goes elsewhere; its KV goes. */
  remove(sequence: Sequence): void {
    this.removeAll([sequence]);
  }

  removeAll(sequences: readonly Sequence[]): void {
    if (sequences.length === 0) return;
    const { owed } = this.device;
    if (owed !== undefined && sequences.includes(owed)) this.device.owed = undefined;
    this.begin(sequences);
  }

  /** The prompts of these have a turn: they wait no longer, and do not run yet. */
  begin(sequences: readonly Sequence[]): void {
    const others = sequences.filter((sequence) => {
      if (!this.waiting.delete(sequence)) return true;
      this.#members.remove(sequence.request);
      return false;
    });
    if (others.length === 0 || this.running.length === 0) return;
    const gone = new Set(others);
    this.running = this.running.filter((sequence) => {
      if (!gone.has(sequence)) return true;
      this.#members.remove(sequence.request);
      this.contextTokens -= sequence.contextTokens;
      this.device.kvBytes -= this.heldBytesOf(sequence);
      return false;
    });
    this.#tokensLeft = undefined;
  }

  /** One of the running ones has got so many tokens. */
  give(sequence: Sequence, tokens: number): void {
    sequence.generatedTokens += tokens;
    this.#grow(tokens);
  }

  /** Every running sequence has got so many tokens. */
  step(tokens: number): void {
    for (const sequence of this.running) sequence.generatedTokens += tokens;
    this.#grow(tokens * this.running.length);
  }

  /** What follows from the sequences that it has, after any of them has changed. */
  refresh(): void {
    this.dueMs = Infinity;
    this.tpotMs = this.#members.leastTpotMs;
    this.ttftMs = this.#members.leastTtftMs;
    this.promptsLeftMs = 0;
    [this.#dueSumMs, this.#inTime] = [0, 0];
    for (const { dueMs, promptLeftMs, isLate } of this.running) {
      if (!isLate) {
        this.#dueSumMs += dueMs;
        this.#inTime++;
      }
      if (dueMs - promptLeftMs < this.dueMs) this.dueMs = dueMs - promptLeftMs;
      this.promptsLeftMs += promptLeftMs;
    }
    if (this.hasWork) this.device.busy.add(this);
    else this.device.busy.delete(this);
  }

  /** How long the running ones can wait for their next tokens, added up; whoever has missed one has nothing to spare. */
  slackSumMs(nowMs: number): number {
    return Math.max(0, this.#dueSumMs - this.#inTime * nowMs);
  }

  /** Its weights never leave this device. */
  get isPinned(): boolean {
    return this.device.pinned.has(this.model);
  }

  /** How many sequences may run at once where such a request does: what gives way leaves a place for whoever may come and does not. */
  placesFor({ isPreemptible }: PoolRequest, nowMs: number): number {
    const most = this.model.sequencesMax ?? Infinity;
    const leavesOne = isPreemptible === true && most > 1 && this.answers.expectsFirm(nowMs);
    return leavesOne ? most - 1 : most;
  }

  /** How many more could run now. */
  freePlacesFor({ request }: Sequence, nowMs: number): number {
    return this.placesFor(request, nowMs) - this.running.length;
  }

  /** Its weights can go: KV that would go with them is not there, and it is not pinned. */
  get canLeave(): boolean {
    if (this.isPinned || this.weights !== "resident") return false;
    return !this.device.setsAside || this.running.length === 0;
  }

  /** Whether it makes room for nobody but those who have been promised something already, see `victims.ts`. */
  isKeptWarm(nowMs: number): boolean {
    return nowMs < this.warmUntilMs;
  }

  get warmUntilMs(): number {
    return this.lastUsedMs + (this.model.keepWarmMs ?? 0);
  }

  #grow(tokens: number): void {
    this.contextTokens += tokens;
    this.#tokensLeft = undefined;
    if (!this.device.setsAside) this.device.kvBytes += tokens * this.model.kvBytesPerToken;
  }

  /** What a sequence's KV has of the memory: what there is of it, or, where it is set aside at once, all that it may become. */
  heldBytesOf({ request, contextTokens }: Sequence): number {
    const tokens = this.device.setsAside ? request.inputTokens + request.maxOutputTokens : contextTokens;
    return tokens * this.model.kvBytesPerToken;
  }

  /** Somebody has tokens from it already, and waits for the next. */
  get isOwed(): boolean {
    return this.running.length > 0 || this.waiting.hasBegun;
  }

  /** Whether any of its requests is that tenant's. */
  serves(tenant: string): boolean {
    return this.#members.of(tenant) > 0;
  }

  /** Whether anything that waits or runs gives way to others. */
  get hasYielding(): boolean {
    return this.#members.hasPreemptible;
  }

  /** Whether all that it has to do gives way to others. */
  get givesWay(): boolean {
    if (this.#members.size > 0) return this.#members.arePreemptible;
    // Whose prompts have a turn are no members meanwhile.
    const { turn } = this.device;
    return turn?.lane === this && turn.sequences.every(({ request }) => request.isPreemptible === true);
  }

  /** Whether all that it has to do is theirs. */
  isAllOf(tenants: Iterable<string>): boolean {
    let count = 0;
    for (const tenant of tenants) count += this.#members.of(tenant);
    return count === this.#members.size;
  }

  /** Whose requests it has. */
  get tenants(): Iterable<string> {
    return this.#members.tenants;
  }

  get hasWork(): boolean {
    return this.running.length > 0 || this.waiting.length > 0 || this.device.turn?.lane === this;
  }

  /** What the KV of a prompt so long will need, with the answer that is to be expected; or with the longest, see `setsAside`. */
  kvBytesOf(contextTokens: number, tokensLeftMax: number): number {
    const answerTokens = this.device.setsAside ? tokensLeftMax : Math.min(this.answers.meanTokens, tokensLeftMax);
    return (contextTokens + answerTokens) * this.model.kvBytesPerToken;
  }

  /** What the first of its waiting prompts will need; 0 where none waits. */
  get firstPromptBytes(): number {
    const { first } = this.waiting;
    return first === undefined ? 0 : this.kvBytesOf(first.contextTokens, first.tokensLeftMax);
  }

  get sequences(): number {
    return this.running.length + this.waiting.length;
  }

  /** Until the last of its running answers is expected to have ended. */
  get tokensLeft(): number {
    const { meanTokens } = this.answers;
    if (this.#tokensLeft?.meanTokens === meanTokens) return this.#tokensLeft.most;
    let most = 0;
    for (const { request, generatedTokens } of this.running) {
      const expected = Math.min(request.maxOutputTokens, Math.max(meanTokens, generatedTokens * 1.5));
      most = Math.max(most, expected - generatedTokens);
    }
    this.#tokensLeft = { meanTokens, most };
    return most;
  }

  stepMs(): number {
    return stepMs(this.speed, this.running.length, this.contextTokens);
  }

  /** What one more request takes of the device's time: its prompt, and its part of the steps that it shares. */
  costMs({ inputTokens, maxOutputTokens }: PoolRequest): number {
    const together = this.sequences + 1;
    const tokenMs = stepMs(this.speed, together, this.contextTokens + inputTokens) / together;
    return prefillMs(this.speed, inputTokens) + Math.min(maxOutputTokens, this.answers.meanTokens) * tokenMs;
  }
}

export type Turn =
  | {
      readonly kind: "prefill";
      readonly lane: Lane;
      readonly sequences: readonly Sequence[];
      readonly startedMs: number;
    }
  | {
      readonly kind: "decode";
      readonly lane: Lane;
      readonly sequences: readonly Sequence[];
      readonly startedMs: number;
      readonly stepMs: number;
      readonly contextTokens: number;
      isStopping: boolean;
    };

/** How far back `promptShare` looks. */
const promptMemoryMs = 10_000;

/** One accelerator. */
export class Device {
  readonly spec: PoolDevice;
  readonly lanes = new Map<string, Lane>();
  /** Lanes that have work, in no order. */
  readonly busy = new Set<Lane>();
  turn: Turn | undefined;
  loading: Lane | undefined;
  loadingSinceMs = 0;
  /** Who has been let in although there was no time left for it; see `redress.ts`. */
  owed: Sequence | undefined;
  /** Milliseconds that were given so of late, fading away over `memoryMs`, as of `owedAtMs`. */
  #owedMs = 0;
  #owedAtMs = 0;
  /** Some of its models may begin no prompts now. */
  hasDraining = false;
  /** The tenant that has it to himself. */
  reservedFor: string | undefined;
  /** Bytes of resident weights, and of those being loaded. */
  weightsBytes = 0;
  kvBytes = 0;
  /** What the turn under way may add to it. */
  turnBytes = 0;
  /** Some model is kept warm here when it is used. */
  hasWarm = false;
  /** Models whose weights never leave. */
  readonly #pinned = new Set<PoolModel>();
  #pinnedBytes = 0;
  /** Milliseconds of prompts of late, fading away, as of `promptsAtMs`; and of those that give way. */
  #promptsMs = 0;
  #yieldingMs = 0;
  #promptsAtMs = 0;

  constructor(spec: PoolDevice) {
    this.spec = spec;
  }

  get pinned(): ReadonlySet<PoolModel> {
    return this.#pinned;
  }

  /** Counts prompts that took so long, and how long those of them took that give way. */
  prompted(durationMs: number, yieldingMs: number, nowMs: number): void {
    const kept = Math.exp((this.#promptsAtMs - nowMs) / promptMemoryMs);
    this.#promptsMs = this.#promptsMs * kept + durationMs;
    this.#yieldingMs = this.#yieldingMs * kept + yieldingMs;
    this.#promptsAtMs = nowMs;
  }

  /** The share of its time that went of late into prompts, or into those that a request does not come before. */
  promptShare(nowMs: number, request?: Pick<PoolRequest, "isPreemptible">): number {
    const countsAll = request === undefined || request.isPreemptible === true;
    const durationMs = countsAll ? this.#promptsMs : this.#promptsMs - this.#yieldingMs;
    return (durationMs * Math.exp((this.#promptsAtMs - nowMs) / promptMemoryMs)) / promptMemoryMs;
  }

  /** Lets somebody in, see `owed`, which takes so long. */
  owe(sequence: Sequence, durationMs: number, nowMs: number, memoryMs: number): void {
    this.#owedMs = this.owedShare(nowMs, memoryMs) * memoryMs + durationMs;
    this.#owedAtMs = nowMs;
    this.owed = sequence;
  }

  /** The share of its time that went into that of late. */
  owedShare(nowMs: number, memoryMs: number): number {
    return (this.#owedMs * Math.exp((this.#owedAtMs - nowMs) / memoryMs)) / memoryMs;
  }

  /** What models that never leave take from this one. */
  pinnedBytesBeside(model: PoolModel): number {
    return this.pinned.has(model) ? this.#pinnedBytes - model.weightsBytes : this.#pinnedBytes;
  }

  /** Whether the model could be here for ever, and everything that was promised here still be done. */
  canPin(model: PoolModel): boolean {
    let mostBytes = 0;
    for (const { model: other, waiting, running } of this.busy) {
      if (other === model) continue;
      // Whose prompts have a turn neither wait nor run.
      const begun = this.turn?.kind === "prefill" && this.turn.lane.model === other ? this.turn.sequences : [];
      for (const { request } of [...waiting, ...begun, ...running]) {
        const tokens = request.inputTokens + request.maxOutputTokens;
        const bytes = (this.pinned.has(other) ? 0 : other.weightsBytes) + tokens * other.kvBytesPerToken;
        mostBytes = Math.max(mostBytes, bytes);
      }
    }
    return mostBytes + this.#pinnedBytes + model.weightsBytes <= this.spec.memoryBytes;
  }

  pin(model: PoolModel): void {
    this.#pinned.add(model);
    this.#pinnedBytes += model.weightsBytes;
  }

  /**
   * Where KV goes with the weights nobody's can be given up for another's: an answer that has begun could not go on. So all
   * that it may need is set aside when it begins.
   */
  get setsAside(): boolean {
    return this.spec.keepsKv === false;
  }

  get freeBytes(): number {
    return this.spec.memoryBytes - this.weightsBytes - this.kvBytes - this.turnBytes;
  }
}
