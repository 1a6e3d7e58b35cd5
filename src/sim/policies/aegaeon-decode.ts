import { type Effect, type Fleet, type PoolDevice, type PoolModel, stepMs } from "../../pool/index.ts";
import { contextBytes, type Job, memoryShare, Weights } from "./aegaeon-weights.ts";

/** The longest turn of a round. Aegaeon, SOSP'25, section 4.3. */
const longestTurnMs = 4_000;

interface Batch {
  readonly model: PoolModel;
  jobs: Job[];
  quotaMs: number;
}

/** A device that decodes: it goes round its batches, each of which has a turn. */
export class DecodeDevice extends Weights {
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
