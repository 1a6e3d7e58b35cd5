import type { Effect, PoolModel } from "../../pool/index.ts";
import { contextBytes, type Job, memoryShare, Weights } from "./aegaeon-weights.ts";

/** The most requests of a group. Aegaeon, SOSP'25, section 4.2. */
const groupMax = 8;
/** Its simulator gives up a request without a token after 1.5 times the time to the first token. */
const patience = 1.5;

/** A device that computes prompts: groups of one model, first come, first served. */
export class PrefillDevice extends Weights {
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
