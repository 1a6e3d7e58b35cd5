/**
 * What others do with a device that cannot hold all its models, over the same engine: load on demand, let the loaded ones
 * compute side by side, and make room when nothing of a model runs any more. For the bench to compare the pool with.
 */
import type { LoadedModel } from "../src/engine/index.ts";
import { systemFingerprint } from "../src/engine/openai/index.ts";
import type { Choice } from "../src/host/desk.ts";
import type { Floor, FloorOptions } from "../src/host/floor.ts";
import type { HostedModel } from "../src/host/hosted-model.ts";
import type { HostPool } from "../src/host/protocol.ts";
import type { Place } from "../src/host/entry.ts";

/**
 * lru: Ollama's (server/sched.go). A request for a loaded model goes to it; others wait in one queue, whose first gets its
 * model loaded in the place of the idle models that were used longest ago; where none is idle it waits, and so does the rest.
 * fifo: llama-swap's. One model at a time; a request for another one waits until the running ones have ended, and whoever
 * comes after it waits behind it.
 */
export type SwapPolicy = "lru" | "fifo";

interface Resident {
  readonly model: LoadedModel;
  running: number;
  usedMs: number;
}

interface Waiting {
  readonly choice: Choice;
  readonly begin: (model: LoadedModel) => void;
  readonly fail: (error: unknown) => void;
}

export async function openSwapFloor(policy: SwapPolicy, options: FloorOptions): Promise<Floor> {
  const { settings, engine } = options;
  const models: HostedModel[] = [];
  for (const file of settings.models) {
    const size = await engine.sizeOf(file);
    const fingerprint = systemFingerprint(engine.build, file.sha256);
    models.push({ name: file.name, sha256: file.sha256, size, fingerprint });
  }
  const swap = new Swap(policy, models, options);
  return {
    models,
    faults: [],
    desk: {
      look: () => ({ outcome: "open", take: () => undefined }),
      enter: (choice) => swap.enter(choice),
      sweep: () => undefined,
    },
    begun: swap.begin(),
    view: () => swap.view(),
    reserve: () => undefined,
    forget: () => Promise.resolve(),
    stop: () => undefined,
  };
}

class Swap {
  readonly #policy: SwapPolicy;
  readonly #models: readonly HostedModel[];
  readonly #options: FloorOptions;
  readonly #residents = new Map<string, Resident>();
  #queue: Waiting[] = [];
  #isLoading = false;
  #loads = 0;
  #evictions = 0;

  constructor(policy: SwapPolicy, models: readonly HostedModel[], options: FloorOptions) {
    this.#policy = policy;
    this.#models = models;
    this.#options = options;
  }

  /** Loads what there is room for, as the pool does, so that nobody has a better start. */
  async begin(): Promise<void> {
    const { engine } = this.#options;
    let freeBytes = engine.memoryBytes;
    for (const { name, size } of this.#models) {
      if (size.loadedBytes > freeBytes || (this.#policy === "fifo" && this.#residents.size > 0)) return;
      freeBytes -= size.loadedBytes;
      await this.#bring(name);
    }
  }

  async #bring(name: string): Promise<void> {
    const { engine, settings, clock } = this.#options;
    const model = await engine.load(settings.models.find((file) => file.name === name)!);
    this.#loads++;
    this.#residents.set(name, { model, running: 0, usedMs: clock.monotonicMs() });
  }

  enter(choice: Choice): Place {
    const { promise, resolve, reject } = Promise.withResolvers<LoadedModel>();
    const waiting: Waiting = { choice, begin: resolve, fail: reject };
    const { signal } = choice.abort;
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    this.#queue.push(waiting);
    this.#dispatch();
    return {
      begun: promise,
      runs: () => undefined,
      moved: () => undefined,
      leave: () => this.#leave(waiting),
    };
  }

  #leave(waiting: Waiting): void {
    const { name } = waiting.choice.model;
    if (this.#queue.includes(waiting)) this.#queue = this.#queue.filter((each) => each !== waiting);
    else {
      const resident = this.#residents.get(name);
      if (resident !== undefined) {
        resident.running--;
        resident.usedMs = this.#options.clock.monotonicMs();
      }
    }
    this.#dispatch();
  }

  #dispatch(): void {
    if (this.#policy === "lru") {
      for (const waiting of this.#queue.slice()) this.#tryBegin(waiting);
    } else while (this.#queue[0] !== undefined && this.#tryBegin(this.#queue[0]));
    const [first] = this.#queue;
    if (first !== undefined && !this.#isLoading && !this.#residents.has(first.choice.model.name))
      void this.#load(first);
  }

  #tryBegin(waiting: Waiting): boolean {
    const resident = this.#residents.get(waiting.choice.model.name);
    if (resident === undefined || resident.running >= this.#options.settings.engine.sequences) return false;
    this.#queue = this.#queue.filter((each) => each !== waiting);
    resident.running++;
    resident.usedMs = this.#options.clock.monotonicMs();
    waiting.begin(resident.model);
    return true;
  }

  async #load({ choice }: Waiting): Promise<void> {
    const { model } = choice;
    const victims = this.#victims(model);
    if (victims === undefined) return;
    this.#isLoading = true;
    try {
      for (const name of victims) {
        const resident = this.#residents.get(name)!;
        this.#residents.delete(name);
        this.#evictions++;
        await resident.model.unload();
      }
      await this.#bring(model.name);
    } catch (error) {
      for (const waiting of this.#queue) if (waiting.choice.model === model) waiting.fail(error);
      this.#queue = this.#queue.filter((waiting) => waiting.choice.model !== model);
    }
    this.#isLoading = false;
    this.#dispatch();
  }

  /** Who leaves for the model; undefined: not yet. */
  #victims(model: HostedModel): readonly string[] | undefined {
    const idle = [...this.#residents].filter(([, { running }]) => running === 0);
    if (this.#policy === "fifo") return idle.length === this.#residents.size ? idle.map(([name]) => name) : undefined;
    const bytesOf = (name: string): number => this.#models.find((each) => each.name === name)!.size.loadedBytes;
    let freeBytes = this.#options.engine.memoryBytes;
    for (const name of this.#residents.keys()) freeBytes -= bytesOf(name);
    const victims: string[] = [];
    for (const [name] of idle.sort(([, a], [, b]) => a.usedMs - b.usedMs)) {
      if (freeBytes >= model.size.loadedBytes) break;
      victims.push(name);
      freeBytes += bytesOf(name);
    }
    return freeBytes >= model.size.loadedBytes ? victims : undefined;
  }

  view(): HostPool {
    const { engine } = this.#options;
    const none = {
      turns: 0,
      failedLoads: 0,
      loadedBytes: 0,
      refused: 0,
      ended: 0,
      firstTokensInTime: 0,
      inTime: 0,
      busyMs: 0,
    };
    return {
      device: { name: engine.device, memoryBytes: engine.memoryBytes, usedBytes: 0 },
      models: [],
      pending: this.#queue.length,
      totals: { ...none, loads: this.#loads, evictions: this.#evictions },
    };
  }
}
