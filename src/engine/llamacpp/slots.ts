import type { LlamaContextSequence, Token } from "node-llama-cpp";

/** A sequence of the context with what it remembers, and whose that is. */
export interface Slot {
  readonly sequence: LlamaContextSequence;
  /** The sequence's place in the context. */
  readonly place: number;
  tenant: string | undefined;
  /** Lengths at which the state was kept, for models that cannot forget a part of it. */
  checkpoints: number[];
}

/**
 * The sequences of a context, lent to one answer at a time. A slot that a tenant used is cleared before another tenant
 * gets it; within a tenant the slot that shares the longest beginning with the prompt is taken, so that no more than
 * the rest is computed. Slots that nobody used come before those that remember something, and among these the one that
 * was returned first.
 */
export class Slots {
  /** Free slots, the longest free one first. */
  #free: Slot[];
  /** What is with an answer, by the tenant that has it. */
  readonly #lent = new Map<Slot, { readonly tenant: string; isToForget: boolean }>();
  #closed: Error | undefined;
  readonly #newSequence: () => LlamaContextSequence;
  readonly #waiting: {
    readonly owner: object;
    readonly take: () => void;
    readonly reject: (reason: unknown) => void;
  }[] = [];

  constructor(count: number, newSequence: () => LlamaContextSequence) {
    this.#newSequence = newSequence;
    this.#free = Array.from({ length: count }, (_, place) => ({
      sequence: newSequence(),
      place,
      tenant: undefined,
      checkpoints: [],
    }));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Waits its turn for a slot; `withdraw` ends the waiting. */
  lend(owner: object, tenant: string, prompt: readonly Token[]): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(this.#closed);
      const take = (): void => resolve(this.#take(tenant, prompt));
      if (this.#free.length > 0) take();
      else this.#waiting.push({ owner, take, reject });
    });
  }

  /** `isSound`: its state is known. Else a new sequence takes its place. */
  takeBack(slot: Slot, isSound: boolean): void {
    const { isToForget = false } = this.#lent.get(slot) ?? {};
    this.#lent.delete(slot);
    if (isSound && !isToForget) this.#put(slot);
    else void this.#renew(slot);
  }

  /** New sequences take the place of those that remember something of the tenant's; lent ones are replaced at their return. */
  async forget(tenant: string | undefined): Promise<void> {
    const isMeant = (whose: string | undefined): boolean => tenant === undefined || whose === tenant;
    for (const lent of this.#lent.values()) if (isMeant(lent.tenant)) lent.isToForget = true;
    // A slot that is nobody's for the moment may still hold what somebody's prompt has left half-way.
    const forgetting = this.#free.filter(
      (slot) => slot.sequence.nextTokenIndex > 0 && (slot.tenant === undefined || isMeant(slot.tenant)),
    );
    this.#free = this.#free.filter((slot) => !forgetting.includes(slot));
    await Promise.all(forgetting.map((slot) => this.#renew(slot)));
  }

  async #renew(slot: Slot): Promise<void> {
    try {
      await slot.sequence.dispose();
      this.#put({ sequence: this.#newSequence(), place: slot.place, tenant: undefined, checkpoints: [] });
    } catch (error) {
      // A context that cannot give a new one is gone, or as good as: who waits for it is told.
      this.close(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #put(slot: Slot): void {
    this.#free.push(slot);
    this.#waiting.shift()?.take();
  }

  withdraw(owner: object, reason: unknown): void {
    const at = this.#waiting.findIndex((waiting) => waiting.owner === owner);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.reject(reason);
  }

  close(error: Error): void {
    this.#closed = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #take(tenant: string, prompt: readonly Token[]): Slot {
    let best = 0;
    let bestTokens = 0;
    for (const [index, slot] of this.#free.entries()) {
      if (slot.tenant !== tenant) continue;
      const tokens = commonTokens(slot, prompt);
      if (tokens > bestTokens) [best, bestTokens] = [index, tokens];
    }
    if (bestTokens === 0) {
      const unused = this.#free.findIndex((slot) => slot.tenant === undefined);
      best = Math.max(0, unused);
    }
    const slot = this.#free.splice(best, 1)[0]!;
    this.#lent.set(slot, { tenant, isToForget: false });
    return slot;
  }
}

function commonTokens({ sequence }: Slot, prompt: readonly Token[]): number {
  return Math.min(sequence.compareContextTokens([...prompt]).firstDifferentIndex, prompt.length);
}

/**
 * Makes the slot remember nothing but a beginning of the prompt, and returns that beginning's length: the tokens that
 * need not be computed again. At least one token is left to compute, because the answer's first token follows from it.
 */
export async function prepareSlot(slot: Slot, tenant: string, prompt: readonly Token[]): Promise<number> {
  const { sequence } = slot;
  const mayReuse = slot.tenant === tenant;
  // Until it is done the slot is nobody's: if this fails half-way, whoever comes next finds it to be cleared.
  slot.tenant = undefined;
  const common = mayReuse ? Math.min(commonTokens(slot, prompt), prompt.length - 1) : 0;
  const keptTokens = reusable(slot, common);
  slot.checkpoints = slot.checkpoints.filter((length) => length <= keptTokens);
  if (keptTokens < sequence.nextTokenIndex) {
    const before = sequence.tokenMeter.getState();
    await sequence.eraseContextTokenRanges([{ start: keptTokens, end: sequence.nextTokenIndex }]);
    // A library that had to compute the beginning again has not reused it.
    const recomputed = sequence.tokenMeter.diff(before).usedInputTokens;
    slot.tenant = tenant;
    return Math.max(0, sequence.nextTokenIndex - recomputed);
  }
  slot.tenant = tenant;
  return sequence.nextTokenIndex;
}

/**
 * How much of a common beginning can be kept. A model with a sliding window or a recurrent state cannot forget its last
 * tokens: it goes on from where it stands, from a kept state, or from nothing.
 */
function reusable({ sequence, checkpoints }: Slot, common: number): number {
  if (!sequence.needsCheckpoints || common === sequence.nextTokenIndex) return common;
  return Math.max(0, ...checkpoints.filter((length) => length <= common));
}

/** Keeps the state as it is after the prompt, where the model needs that to come back to it. */
export async function keepCheckpoint(slot: Slot): Promise<void> {
  if (!slot.sequence.needsCheckpoints) return;
  await slot.sequence.takeCheckpoint();
  slot.checkpoints.push(slot.sequence.nextTokenIndex);
}
