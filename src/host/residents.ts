import type { Clock, Refusal } from "../base/index.ts";
import { identityOf } from "../catalog/index.ts";
import type { Engine, LoadedModel, ModelFile } from "../engine/index.ts";
import type { Log } from "./log.ts";
import { changedSince, resting } from "./refusals.ts";
import type { Suspects } from "./suspects.ts";

export interface ResidentsOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly suspects: Suspects;
  readonly loadTimeoutMs: number;
  /** What a model takes. */
  readonly bytesOf: (model: string) => number;
  /** Brings a file into the operating system's memory beside the turns. */
  readonly readAhead: (path: string) => Promise<void>;
  /** A load has come to its end. */
  readonly onLoaded: (model: string, durationMs: number) => void;
  /** A model is gone by itself. */
  readonly onLost: (model: string) => void;
  readonly onHung: (model: string) => void;
}

/** A model's file, with what it was when it was verified. */
type HostedFile = ModelFile & { readonly identity?: string };

class TookTooLong extends Error {}

/** A changed file is looked at again for who asks for it, at most so often. */
const lookEveryMs = 1_000;

/** The models that the engine has in memory; each is held until it is released. */
export class Residents {
  readonly #options: ResidentsOptions;
  readonly #loaded = new Map<string, LoadedModel>();
  readonly #leaving = new Set<Promise<void>>();
  /** Those whose file is not the one that was verified, and when that was last looked at. */
  readonly #changed = new Map<string, { readonly file: HostedFile; lookedMs: number }>();
  /** Why a model's last load failed; for the operator. */
  readonly failures = new Map<string, string>();
  /** Of all files that were loaded since the start. */
  loadedBytes = 0;

  constructor(options: ResidentsOptions) {
    this.#options = options;
  }

  get(model: string): LoadedModel | undefined {
    return this.#loaded.get(model);
  }

  /** Whether nobody has tried to load it yet. */
  isUntried(model: string): boolean {
    return !this.#loaded.has(model) && !this.failures.has(model);
  }

  /** Why a model cannot be loaded whatever leaves for it; undefined: nothing is known against it. */
  hindrance(model: string): Refusal | undefined {
    const restMs = this.#options.suspects.restMs(model);
    if (restMs > 0) return resting(model, restMs);
    const changed = this.#changed.get(model);
    if (changed === undefined) return undefined;
    void this.#lookAgain(changed);
    return changedSince(model);
  }

  /** The file that was verified may be back: a disk that was away, say. */
  async #lookAgain(changed: { readonly file: HostedFile; lookedMs: number }): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs < changed.lookedMs + lookEveryMs) return;
    changed.lookedMs = nowMs;
    if ((await faultOf(changed.file)) === undefined) this.#changed.delete(changed.file.name);
  }

  /** Whether the model is in memory now. Never rejects; a load that takes too long counts as failed, and leaves when it ends. */
  async load(file: HostedFile): Promise<boolean> {
    const { clock, log } = this.#options;
    const startedMs = clock.monotonicMs();
    try {
      const model = await this.#within(this.#load(file), file.name);
      await model.hold();
      this.#loaded.set(file.name, model);
      void model.lost?.then((why) => this.#lost(file.name, model, why));
      this.failures.delete(file.name);
      this.loadedBytes += this.#options.bytesOf(file.name);
      const durationMs = clock.monotonicMs() - startedMs;
      this.#options.onLoaded(file.name, durationMs);
      log("info", "a model is loaded", { model: file.name, ms: Math.round(durationMs) });
      return true;
    } catch (error) {
      const reason = messageOf(error);
      this.failures.set(file.name, reason);
      log("error", "a model could not be loaded", { model: file.name, reason });
      if (error instanceof TookTooLong) this.#options.onHung(file.name);
      return false;
    }
  }

  #lost(name: string, model: LoadedModel, why: string): void {
    if (this.#loaded.get(name) !== model) return;
    this.#loaded.delete(name);
    this.failures.set(name, why);
    this.#options.log("error", "a model is gone from memory", { model: name, reason: why });
    this.#options.onLost(name);
    void this.#leave(name, model);
  }

  /** What is not in memory remembers nothing. */
  async forget(tenant: string | undefined): Promise<void> {
    await Promise.all([...this.#loaded.values()].map((model) => model.forget(tenant)));
  }

  async unload(name: string): Promise<void> {
    const model = this.#loaded.get(name);
    if (model === undefined) return;
    this.#loaded.delete(name);
    await this.#leave(name, model);
  }

  /** Nothing is loaded before it is gone. Never rejects: one that does not leave in order is gone, as far as anybody knows. */
  #leave(name: string, model: LoadedModel): Promise<void> {
    const leaving = this.#unload(name, model).finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    return leaving;
  }

  async #unload(name: string, model: LoadedModel): Promise<void> {
    const { log } = this.#options;
    try {
      await model.unload();
      log("info", "a model has left", { model: name });
    } catch (error) {
      log("error", "a model did not leave in order", { model: name, reason: messageOf(error) });
    }
  }

  async #load(file: HostedFile): Promise<LoadedModel> {
    const { engine, suspects, readAhead } = this.#options;
    if (suspects.restMs(file.name) > 0)
      throw new Error("the engine ended when it was loaded last; it is tried again later");
    await readAhead(file.path);
    // Receipts name the digest that was verified: nothing else is served under it.
    const fault = await faultOf(file);
    if (fault === undefined) this.#changed.delete(file.name);
    else {
      this.#changed.set(file.name, { file, lookedMs: this.#options.clock.monotonicMs() });
      throw new Error(fault);
    }
    // Whoever leaves for it has to be gone, or both would be in memory.
    await Promise.all(this.#leaving);
    suspects.begin(file.name);
    let isThere = false;
    try {
      const model = await engine.load(file);
      isThere = true;
      return model;
    } finally {
      suspects.end(file.name, isThere);
    }
  }

  /** What comes too late leaves again. */
  async #within(load: Promise<LoadedModel>, name: string): Promise<LoadedModel> {
    const { clock, loadTimeoutMs } = this.#options;
    const { promise, reject } = Promise.withResolvers<never>();
    let isLate = false;
    const cancel = clock.after(loadTimeoutMs, () => {
      isLate = true;
      reject(new TookTooLong(`it was not loaded within ${loadTimeoutMs} ms`));
    });
    load.then(
      (model) => (isLate ? this.#leave(name, model) : undefined),
      () => undefined,
    );
    try {
      return await Promise.race([load, promise]);
    } finally {
      cancel();
    }
  }
}

/** Why a file is not the one that was verified; undefined: it is, or it never was. */
async function faultOf({ path, identity }: HostedFile): Promise<string | undefined> {
  if (identity === undefined) return undefined;
  try {
    if ((await identityOf(path)) === identity) return undefined;
    return `${path} has changed since it was verified; a new start of \`up\` verifies it again`;
  } catch (error) {
    return `${path} cannot be looked at: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
