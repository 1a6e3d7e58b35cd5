import {
  type Effect,
  type Fleet,
  type PoolDevice,
  type WorkEvent,
  type PoolModel,
  type PoolRequest,
  type Scheduler,
  stepMs,
} from "../../pool/index.ts";

/** The longest turn of a decode round, and the most requests of a prefill group. Aegaeon, SOSP'25, sections 4.2 and 4.3. */
const longestTurnMs = 4_000;
const groupMax = 8;
/** Its simulator gives up a request without a token after 1.5 times the time to the first token. */
const patience = 1.5;
const memoryShare = 0.95;

interface Job {
  readonly request: PoolRequest;
  readonly model: PoolModel;
  readonly order: number;
  readonly arrivedMs: number;
  generatedTokens: number;
}

/**
 * Aegaeon (SOSP'25; its authors' simulator, commit 1c3b110): some devices compute prompts, the others decode.
 *
 * - Prefill: first come, first served by groups of at most 8 requests of one model, one prompt at a time; the next
 *   group's model is copied meanwhile.
 * - Decode: a request joins a batch of its model, else the device with fewest batches. Each device goes round its
 *   batches, model by model; each has a turn whose length comes from how many tokens it may fall behind.
 * - A device holds at most one active and one prefetched model.
 *
 * Differences from the authors' simulator: KV counts against a device's memory also between turns (there it does not); KV moves from prefill to decode beside the turns, at the link's speed, and not
 * for nothing; a batch's KV comes back from host memory before its turn with the bytes that the model has (there: 0.5 MB a
 * token whatever the model); steps count their batch's size (there they do not, by an oversight).
 */
export class Aegaeon implements Scheduler {
  readonly #models = new Map<string, PoolModel>();
  readonly #jobs = new Map<string, Job>();
  readonly #prefill: PrefillDevice[];
  readonly #decode: DecodeDevice[];
  readonly #byDevice = new Map<string, PrefillDevice | DecodeDevice>();
  /** Prompts that are computed, on a prefill device, and whose KV has no room on a decode device yet. */
  #homeless: Job[] = [];
  #order = 0;

  /** `kvCopyBytesPerToken`: what a turn's KV weighs when it is copied back; the model's own KV unless given. */
  constructor(fleet: Fleet, prefillDevices: number, options: { readonly kvCopyBytesPerToken?: number } = {}) {
    if (!(prefillDevices >= 1 && prefillDevices < fleet.devices.length)) {
      throw new RangeError(`of ${fleet.devices.length} devices 1 to ${fleet.devices.length - 1} can be for prefill`);
    }
    for (const model of fleet.models) this.#models.set(model.id, model);
    this.#prefill = fleet.devices.slice(0, prefillDevices).map((spec) => new PrefillDevice(spec));
    this.#decode = fleet.devices
      .slice(prefillDevices)
      .map((spec) => new DecodeDevice(spec, fleet, options.kvCopyBytesPerToken));
    for (const device of [...this.#prefill, ...this.#decode]) this.#byDevice.set(device.spec.id, device);
  }

  decide(event: WorkEvent, nowMs: number): readonly Effect[] {
    const effects: Effect[] = [];
    switch (event.kind) {
      case "arrived":
        this.#arrive(event.request, nowMs, effects);
        break;
      case "loaded":
        this.#byDevice.get(event.device)!.loaded(event.model);
        this.#settle(effects, nowMs);
        this.#next(event.device, nowMs, effects);
        break;
      case "turnEnded":
        this.#endTurn(event.device, event.steps, event.finished, nowMs, effects);
        break;
      case "moved": {
        const device = this.#byDevice.get(event.device) as DecodeDevice;
        device.accept(this.#jobs.get(event.request)!, effects);
        this.#next(event.device, nowMs, effects);
        break;
      }
      case "woken":
        for (const { spec } of this.#decode) this.#next(spec.id, nowMs, effects);
        break;
    }
    this.#unstick(effects, nowMs);
    return effects;
  }

  #arrive(request: PoolRequest, nowMs: number, effects: Effect[]): void {
    const model = this.#models.get(request.model);
    const fits = model !== undefined && this.#canHold(model, request);
    if (model === undefined || !fits) {
      effects.push({
        kind: "refuse",
        request: request.id,
        reason: model === undefined ? "unknown_model" : "model_too_large",
      });
      return;
    }
    const job: Job = { request, model, order: this.#order++, arrivedMs: nowMs, generatedTokens: 0 };
    this.#jobs.set(request.id, job);
    const device = this.#prefillFor(job);
    device.enqueue(job);
    this.#next(device.spec.id, nowMs, effects);
  }

  /** On a device for prompts and on one for decoding; the former must be every one, because it is not chosen by size. */
  #canHold(model: PoolModel, { inputTokens, maxOutputTokens }: PoolRequest): boolean {
    const holds = ({ spec }: Weights, tokens: number): boolean =>
      model.weightsBytes + tokens * model.kvBytesPerToken <= spec.memoryBytes * memoryShare;
    const isPrefilled = this.#prefill.every((device) => holds(device, inputTokens + 1));
    return isPrefilled && this.#decode.some((device) => holds(device, inputTokens + maxOutputTokens));
  }

  #prefillFor(job: Job): PrefillDevice {
    const open = this.#prefill.find((device) => device.hasRoomFor(job.model));
    return open ?? least(this.#prefill, (device) => device.load)!;
  }

  #endTurn(id: string, steps: number, finished: readonly string[], nowMs: number, effects: Effect[]): void {
    const device = this.#byDevice.get(id)!;
    if (device instanceof PrefillDevice) {
      const job = device.ended();
      job.generatedTokens++;
      if (finished.length === 0) this.#homeless.push(job);
      else device.release(job);
    } else device.ended(steps, finished, nowMs);
    for (const request of finished) this.#jobs.delete(request);
    this.#settle(effects, nowMs);
    this.#next(id, nowMs, effects);
  }

  #settle(effects: Effect[], nowMs: number): void {
    const left: Job[] = [];
    for (const job of this.#homeless) {
      const device = this.#decodeFor(job);
      if (device === undefined) {
        left.push(job);
        continue;
      }
      device.expect(job, effects);
      const from = this.#prefill.find((each) => each.holds(job))!;
      from.release(job);
      effects.push({ kind: "move", request: job.request.id, to: device.spec.id });
      this.#next(from.spec.id, nowMs, effects);
    }
    this.#homeless = left;
  }

  /** Where memory is so short that nothing can go on, whoever has waited longest for a place is given up. */
  #unstick(effects: Effect[], nowMs: number): void {
    while (this.#homeless.length > 0 && ![...this.#byDevice.values()].some((device) => device.isBusy)) {
      const job = this.#homeless.shift()!;
      const from = this.#prefill.find((each) => each.holds(job))!;
      from.release(job);
      this.#jobs.delete(job.request.id);
      effects.push({ kind: "drop", request: job.request.id });
      effects.push({ kind: "refuse", request: job.request.id, reason: "overloaded" });
      this.#settle(effects, nowMs);
      this.#next(from.spec.id, nowMs, effects);
    }
  }

  #decodeFor(job: Job): DecodeDevice | undefined {
    const roomy = this.#decode.filter((device) => device.fits(job));
    return roomy.find((device) => device.batchesOf(job.model)) ?? least(roomy, (device) => device.batches);
  }

  #next(id: string, nowMs: number, effects: Effect[]): void {
    const device = this.#byDevice.get(id)!;
    if (device instanceof DecodeDevice) {
      for (const job of device.next(nowMs, effects)) {
        effects.push({ kind: "drop", request: job.request.id });
        const again = this.#prefillFor(job);
        again.enqueue(job);
        this.#next(again.spec.id, nowMs, effects);
      }
      return;
    }
    for (const job of device.givenUp(nowMs)) {
      this.#jobs.delete(job.request.id);
      effects.push({ kind: "refuse", request: job.request.id, reason: "overloaded" });
    }
    device.next(effects);
  }
}

/** The weights of a device: the model at work, and one that is copied ahead. */
class Weights {
  readonly spec: PoolDevice;
  readonly resident = new Map<string, PoolModel>();
  loading: PoolModel | undefined;

  constructor(spec: PoolDevice) {
    this.spec = spec;
  }

  loaded(id: string): void {
    this.resident.set(id, this.loading!);
    this.loading = undefined;
  }

  /** Copies it where it is not there yet, and in the place of all but `kept`. */
  want(model: PoolModel | undefined, kept: PoolModel | undefined, effects: Effect[]): void {
    if (model === undefined || this.loading !== undefined || this.resident.has(model.id)) return;
    this.keepOnly(kept, effects);
    this.loading = model;
    effects.push({ kind: "load", device: this.spec.id, model: model.id });
  }

  /** The weights of all others leave. */
  keepOnly(kept: PoolModel | undefined, effects: Effect[]): void {
    for (const [id, model] of this.resident) {
      if (model === kept) continue;
      this.resident.delete(id);
      effects.push({ kind: "evict", device: this.spec.id, model: id });
    }
  }

  get bytes(): number {
    let bytes = this.loading?.weightsBytes ?? 0;
    for (const { weightsBytes } of this.resident.values()) bytes += weightsBytes;
    return bytes;
  }
}

class PrefillDevice extends Weights {
  #groups: Job[][] = [];
  #running: Job | undefined;
  readonly #held = new Set<Job>();
  #kvBytes = 0;

  get isBusy(): boolean {
    return this.#running !== undefined || this.loading !== undefined;
  }

  get load(): number {
    return this.#groups.length + (this.#running === undefined ? 0 : 1);
  }

  hasRoomFor(model: PoolModel): boolean {
    return this.#groups.some((group) => group[0]!.model === model && group.length < groupMax);
  }

  enqueue(job: Job): void {
    const group = this.#groups.find((each) => each[0]!.model === job.model && each.length < groupMax);
    if (group === undefined) this.#groups.push([job]);
    else group.push(job);
  }

  /** Takes out what has waited longer than anybody would. */
  givenUp(nowMs: number): Job[] {
    const over = (job: Job): boolean =>
      job.generatedTokens === 0 && nowMs - job.arrivedMs > patience * job.request.objective.ttftMs;
    const gone = this.#groups.flat().filter(over);
    if (gone.length > 0) {
      this.#groups = this.#groups.map((group) => group.filter((job) => !over(job))).filter((group) => group.length > 0);
    }
    return gone;
  }

  next(effects: Effect[]): void {
    const [group] = this.#groups;
    if (this.#running === undefined && group !== undefined) {
      const { model } = group[0]!;
      if (!this.resident.has(model.id)) return this.want(model, undefined, effects);
      const job = group[0]!;
      const bytes = contextBytes(job) + model.kvBytesPerToken;
      const roomBytes = this.spec.memoryBytes * memoryShare - this.#kvBytes - bytes;
      if (this.bytes > roomBytes) this.keepOnly(model, effects);
      if (this.bytes > roomBytes) return;
      group.shift();
      if (group.length === 0) this.#groups.shift();
      this.#running = job;
      this.#held.add(job);
      this.#kvBytes += bytes;
      effects.push({ kind: "prefill", device: this.spec.id, model: model.id, requests: [job.request.id] });
    }
    const ahead = this.#groups.find((each) => each[0]!.model !== this.#running?.model);
    if (this.#running !== undefined) this.#prefetch(ahead?.[0]!.model, effects);
  }

  #prefetch(model: PoolModel | undefined, effects: Effect[]): void {
    if (model === undefined || this.#running === undefined) return;
    const bytes = this.#running.model.weightsBytes + model.weightsBytes + this.#kvBytes;
    if (bytes <= this.spec.memoryBytes * memoryShare) this.want(model, this.#running.model, effects);
  }

  ended(): Job {
    const job = this.#running!;
    this.#running = undefined;
    return job;
  }

  holds(job: Job): boolean {
    return this.#held.has(job);
  }

  release(job: Job): void {
    this.#held.delete(job);
    this.#kvBytes -= contextBytes(job);
  }
}

interface Batch {
  readonly model: PoolModel;
  jobs: Job[];
  quotaMs: number;
}

class DecodeDevice extends Weights {
  readonly #fleet: Fleet;
  /** All that are to be decoded here, by when they came. */
  #jobs: Job[] = [];
  #round: Batch[] = [];
  #turn = 0;
  /** Batches that this round has turns for; those that come meanwhile wait for the next. */
  #turns = 0;
  #isRunning = false;
  #startedMs = 0;
  #leftMs = 0;
  /** KV that is here, or on its way. */
  #kvBytes = 0;
  /** What the turn under way may add. */
  #turnBytes = 0;
  #expected = 0;

  readonly #kvCopyBytesPerToken: number | undefined;
  /** When the KV of the batch whose turn it is will have been copied back from host memory. */
  #readyMs: number | undefined;

  constructor(spec: PoolDevice, fleet: Fleet, kvCopyBytesPerToken: number | undefined) {
    super(spec);
    this.#fleet = fleet;
    this.#kvCopyBytesPerToken = kvCopyBytesPerToken;
  }

  /** Something is under way here, or on its way to here. */
  get isBusy(): boolean {
    return this.#isRunning || this.loading !== undefined || this.#expected > 0 || this.#readyMs !== undefined;
  }

  get batches(): number {
    return new Set(this.#jobs.map(({ model }) => model)).size + this.#expected;
  }

  batchesOf(model: PoolModel): boolean {
    return this.#jobs.some((job) => job.model === model);
  }

  fits({ request, model }: Job): boolean {
    const roomBytes = this.spec.memoryBytes * memoryShare;
    const tokens = request.inputTokens + Math.min(request.maxOutputTokens, 1_024);
    // Two models are here at a time where they fit: the one at work, and the one copied ahead.
    const kvBytes = tokens * model.kvBytesPerToken;
    const models = 2 * model.weightsBytes + kvBytes <= roomBytes ? 2 : 1;
    const heldBytes = this.#heldBytes + this.#turnBytes;
    return Math.max(models * model.weightsBytes, heldBytes) + this.#kvBytes + kvBytes <= roomBytes;
  }

  /** Weights that cannot leave at once: of the model at work, and of the one being copied. */
  get #heldBytes(): number {
    const atWork = this.#isRunning ? this.#round[this.#turn]!.model.weightsBytes : 0;
    return atWork + (this.loading?.weightsBytes ?? 0);
  }

  expect(job: Job, effects: Effect[]): void {
    const atWork = this.#isRunning ? this.#round[this.#turn]!.model : undefined;
    const overBytes = (): number =>
      this.bytes + this.#kvBytes + this.#turnBytes + contextBytes(job) - this.spec.memoryBytes;
    for (const [id, model] of this.resident) {
      if (overBytes() <= 0) break;
      if (model === atWork) continue;
      this.resident.delete(id);
      effects.push({ kind: "evict", device: this.spec.id, model: id });
    }
    this.#expected++;
    this.#kvBytes += contextBytes(job);
  }

  accept(job: Job, effects: Effect[]): void {
    this.#expected--;
    this.#jobs.push(job);
    const batch = this.#round.find(({ model }) => model === job.model);
    if (batch === undefined) this.#round.push({ model: job.model, jobs: [job], quotaMs: 0 });
    else batch.jobs.push(job);
    // It joins a turn under way after the present step, and the turn goes on.
    if (this.#isRunning && this.#round[this.#turn]?.model === job.model)
      effects.push({ kind: "stop", device: this.spec.id });
  }

  ended(steps: number, finished: readonly string[], nowMs: number): void {
    this.#isRunning = false;
    this.#turnBytes = 0;
    this.#leftMs -= nowMs - this.#startedMs;
    const batch = this.#round[this.#turn]!;
    const gone = new Set(finished);
    for (const job of batch.jobs) {
      if (gone.has(job.request.id)) this.#kvBytes -= contextBytes(job);
      else if (job.generatedTokens > 0 && this.#wasRunning.has(job)) {
        job.generatedTokens += steps;
        this.#kvBytes += steps * job.model.kvBytesPerToken;
      }
    }
    batch.jobs = batch.jobs.filter((job) => !gone.has(job.request.id));
    this.#jobs = this.#jobs.filter((job) => !gone.has(job.request.id));
    if (this.#leftMs <= 0 || batch.jobs.length === 0) this.#endOfTurn();
  }

  #wasRunning = new Set<Job>();

  /** Between its turns a batch's KV lies in host memory. */
  #kvCopyMs({ model, jobs }: Batch): number {
    const tokens = jobs.reduce((sum, job) => sum + job.request.inputTokens + job.generatedTokens, 0);
    return (tokens * (this.#kvCopyBytesPerToken ?? model.kvBytesPerToken)) / this.spec.linkBytesPerMs;
  }

  #endOfTurn(): void {
    this.#turn++;
    this.#leftMs = 0;
    this.#readyMs = undefined;
  }

  /** What it does now; returns what it has no memory for any more. */
  next(nowMs: number, effects: Effect[]): readonly Job[] {
    if (this.#isRunning) return [];
    while (this.#turn < this.#turns && this.#round[this.#turn]!.jobs.length === 0) this.#endOfTurn();
    if (this.#turn >= this.#turns) this.#enterRound();
    const batch = this.#round[this.#turn];
    if (batch === undefined) return [];
    const { model } = batch;
    if (!this.resident.has(model.id)) {
      const dropped = this.loading === undefined ? this.#makeRoom(model.weightsBytes, batch) : [];
      this.want(model, undefined, effects);
      return dropped;
    }
    if (this.#leftMs <= 0) {
      this.#readyMs ??= nowMs + this.#kvCopyMs(batch);
      if (this.#readyMs > nowMs) {
        effects.push({ kind: "wake", atMs: this.#readyMs });
        return [];
      }
      this.#leftMs = batch.quotaMs;
      this.#readyMs = undefined;
    }
    const dropped = this.#makeRoom(this.bytes + this.#growthBytes(batch), batch);
    this.#isRunning = true;
    this.#turnBytes = this.#growthBytes(batch);
    this.#startedMs = nowMs;
    this.#wasRunning = new Set(batch.jobs);
    const requests = batch.jobs.map(({ request }) => request.id);
    effects.push({ kind: "decode", device: this.spec.id, model: model.id, requests, untilMs: nowMs + this.#leftMs });
    const next = this.#round[(this.#turn + 1) % this.#turns]?.model;
    const bytes = model.weightsBytes + (next?.weightsBytes ?? 0) + this.#kvBytes + this.#growthBytes(batch);
    if (next !== model && bytes <= this.spec.memoryBytes * memoryShare) this.want(next, model, effects);
    return dropped;
  }

  /** What a turn adds. */
  #growthBytes({ model, jobs }: Batch): number {
    const context = jobs.reduce((sum, job) => sum + job.request.inputTokens + job.generatedTokens, 0);
    const steps = Math.ceil(this.#leftMs / stepMs(this.#fleet.speed(model, this.spec), jobs.length, context)) + 1;
    return steps * jobs.length * model.kvBytesPerToken;
  }

  /** KV is given up, the latest comer's first, until so many bytes fit beside the rest; one of the batch stays. */
  #makeRoom(bytes: number, batch: Batch): Job[] {
    const dropped: Job[] = [];
    const latest = [...this.#jobs].sort((a, b) => b.order - a.order);
    for (const job of latest) {
      if (bytes + this.#kvBytes <= this.spec.memoryBytes * memoryShare) break;
      if (batch.jobs.length === 1 && batch.jobs[0] === job) continue;
      this.#kvBytes -= contextBytes(job);
      this.#jobs = this.#jobs.filter((other) => other !== job);
      for (const each of this.#round) each.jobs = each.jobs.filter((other) => other !== job);
      dropped.push(job);
    }
    return dropped;
  }

  /** Batches by model, and how long each one's turn is: quotas of the paper's section 4.3. */
  #enterRound(): void {
    const byModel = new Map<PoolModel, Job[]>();
    for (const job of this.#jobs) byModel.set(job.model, [...(byModel.get(job.model) ?? []), job]);
    const batches = [...byModel].sort(([a], [b]) => (a.id < b.id ? -1 : 1));
    let switchMs = 0;
    let behind = 0;
    let fewest = Infinity;
    const perToken = batches.map(([model, jobs]) => {
      const speed = this.#fleet.speed(model, this.spec);
      const context = jobs.reduce((sum, job) => sum + job.request.inputTokens + job.generatedTokens, 0);
      const share = jobs[0]!.request.objective.tpotMs / stepMs(speed, jobs.length, context);
      switchMs += speed.loadMs;
      behind += 1 / share;
      fewest = Math.min(fewest, share);
      return share;
    });
    const alpha = Math.max(switchMs / (longestTurnMs * fewest) + behind, 0.5);
    this.#round = batches.map(([model, jobs], index) => {
      const quotaMs = switchMs / perToken[index]! / (alpha - behind);
      return { model, jobs: [...jobs], quotaMs: Math.min(longestTurnMs, Math.max(1, quotaMs)) };
    });
    this.#turn = 0;
    this.#turns = this.#round.length;
    this.#leftMs = 0;
  }
}

function contextBytes(job: Job): number {
  return (job.request.inputTokens + job.generatedTokens) * job.model.kvBytesPerToken;
}

function least<Item>(items: readonly Item[], of: (item: Item) => number): Item | undefined {
  let best: Item | undefined;
  for (const item of items) if (best === undefined || of(item) < of(best)) best = item;
  return best;
}
