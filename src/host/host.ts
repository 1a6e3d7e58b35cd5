import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { type Clock, type Ids, refuse, type Refusal, RefusalError } from "../base/index.ts";
import type { Engine, EngineFactory } from "../engine/index.ts";
import type { Generation } from "./generation.ts";
import type { HostedModel } from "./hosted-model.ts";
import { Lease } from "./lease.ts";
import type { Log } from "./log.ts";
import { Outbox } from "./outbox.ts";
import { takeOver } from "./predecessor.ts";
import { type HostForgotten, type HostHello, hostProtocol } from "./protocol.ts";
import type { Floor, FloorOptions } from "./floor.ts";
import { createHostServer } from "./server.ts";
import type { HostSettings } from "./settings.ts";
import { Tallies } from "./tally.ts";

/** Bounds that no operator has a reason to set. */
export interface HostBounds {
  readonly bodyTimeoutMs: number;
  /** How long a reader may leave what it was sent unread. */
  readonly stallMs: number;
  /** Requests whose counts are kept at once; beyond it new ones are refused. */
  readonly unacknowledged: number;
  /** Size at which the progress file is written anew. */
  readonly progressBytes: number;
  readonly countsWaitMs: number;
  /** How long what was cut off may take to end. */
  readonly cutMs: number;
  /** How long an earlier process of this host may take to end. */
  readonly predecessorMs: number;
}

export const hostBounds: HostBounds = {
  bodyTimeoutMs: 30_000,
  stallMs: 120_000,
  unacknowledged: 100_000,
  progressBytes: 8 << 20,
  countsWaitMs: 10_000,
  cutMs: 2_000,
  predecessorMs: 10_000,
};

export interface HostOptions {
  readonly settings: HostSettings;
  readonly bounds: HostBounds;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly pid: number;
  readonly log: Log;
  readonly factory: () => Promise<EngineFactory>;
  /** Who decides what the engine does. */
  readonly openFloor: (options: FloorOptions) => Promise<Floor>;
  /** The engine can do nothing any more: the process has to end, so that another one takes its place. */
  readonly onHung: (why: string) => void;
}

export interface Host {
  /** Takes nothing new, lets what runs end within `limitMs`, cuts off the rest, and closes everything; a second call waits for the first. */
  stop(limitMs: number): Promise<void>;
  /** Loads the models; rejects where one cannot be. Until then hello says which one is being loaded. */
  load(): Promise<void>;
}

/** Takes over the counts of earlier starts and listens on the socket; no model is loaded yet. */
export async function openHost(options: HostOptions): Promise<Host> {
  const { settings, bounds, clock } = options;
  await takeOver(settings.folder, settings.socketPath, { clock, waitMs: bounds.predecessorMs });
  const host = new RunningHost(options);
  await host.listen();
  return host;
}

/** Of a fault's message, in characters: whoever hears it reads no more. */
const faultMessageMax = 400;

class RunningHost implements Host {
  readonly #options: HostOptions;
  readonly #models = new Map<string, HostedModel>();
  readonly #running = new Set<Generation>();
  readonly #lease: Lease;
  readonly #tallies: Tallies;
  readonly #outbox: Outbox;
  readonly #server: Server;
  readonly #cancelSweep: () => void;
  #engine: Engine | undefined;
  #floor: Floor | undefined;
  #loading: string | undefined = "the engine";
  #stopped: Promise<void> | undefined;

  constructor(options: HostOptions) {
    this.#options = options;
    const { settings, bounds, clock, ids, log } = options;
    this.#outbox = new Outbox(() => this.#tallies.record());
    this.#tallies = new Tallies({
      clock,
      folder: settings.folder,
      boot: settings.boot,
      progressBytes: bounds.progressBytes,
      unacknowledged: bounds.unacknowledged,
      schedule: this.#outbox.schedule,
      onFailure: (error) => log("error", "the counts cannot be written", { error: codeOf(error) }),
    });
    // Nobody can reach it to make it forget: whatever was erased meanwhile has to be gone when it takes work again.
    const forgetAll = (): void =>
      void this.#forget(undefined).catch((error: unknown) =>
        log("error", "the caches could not be cleared", { error: codeOf(error) }),
      );
    this.#lease = new Lease(clock, settings.leaseSeconds, forgetAll);
    this.#server = createHostServer({
      clock,
      ids,
      log,
      models: this.#models,
      tallies: this.#tallies,
      outbox: this.#outbox,
      bounds: { bodyBytes: settings.bodyBytes, bodyTimeoutMs: bounds.bodyTimeoutMs, stallMs: bounds.stallMs },
      running: this.#running,
      desk: () => this.#floor!.desk,
      pool: () => this.#floor?.view(),
      reserve: (reservations) => this.#floor?.reserve(reservations),
      lease: this.#lease,
      closedFor: () => this.#closedFor(),
      forget: (tenant) => this.#forget(tenant),
      hello: () => this.#hello(),
      presence: () => ({ boot: settings.boot, atMs: clock.nowMs(), isStopping: this.#stopped !== undefined }),
      countsWaitMs: bounds.countsWaitMs,
    });
    this.#cancelSweep = clock.every(1_000, () => this.#sweep());
  }

  async listen(): Promise<void> {
    const { socketPath } = this.#options.settings;
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ path: socketPath, backlog: 4_096 }, resolve);
    });
    chmodSync(socketPath, 0o600);
  }

  stop(limitMs: number): Promise<void> {
    this.#stopped ??= this.#stop(limitMs);
    return this.#stopped;
  }

  async #stop(limitMs: number): Promise<void> {
    const { bounds, settings } = this.#options;
    await this.#idle(limitMs);
    const cut = new RefusalError(refuse("draining", "The host is stopping.", { retryAfterSeconds: 1 }));
    for (const generation of this.#running) generation.stop(cut);
    await this.#idle(bounds.cutMs);
    // What has ended in this turn leaves at its end.
    await new Promise((resolve) => setImmediate(resolve));
    this.#cancelSweep();
    this.#floor?.stop();
    await this.#close();
    this.#tallies.close();
    rmSync(settings.socketPath, { force: true });
    await this.#engine?.close();
  }

  async load(): Promise<void> {
    const { settings, clock, factory, openFloor, log, onHung } = this.#options;
    const { memoryBytes } = settings.engine;
    const engine = await (await factory()).open({ ...settings.engine, memoryBytes });
    this.#engine = engine;
    const onLoading = (model: string): void => {
      // Once it is ready, a model that comes on demand keeps nobody out.
      if (this.#loading !== undefined) this.#loading = model;
    };
    this.#floor = await openFloor({ settings, engine, clock, log, onLoading, onHung });
    for (const model of this.#floor.models) this.#models.set(model.name, model);
    await this.#floor.begun;
    this.#loading = undefined;
    // The lease begins with the service: nobody could renew it before.
    this.#lease.renew(settings.leaseSeconds);
    log("info", "the host is ready", { engine: engine.build, device: engine.device, models: this.#models.size });
  }

  #hello(): HostHello | { readonly loading: string } {
    if (this.#loading !== undefined) return { loading: this.#loading };
    const { settings, pid, clock } = this.#options;
    const { name, build, device } = this.#engine!;
    return {
      protocol: hostProtocol,
      host: settings.host,
      boot: settings.boot,
      atMs: clock.nowMs(),
      pid,
      device,
      engine: { name, build },
      models: [...this.#models.values()].map(({ name, sha256, size }) => ({
        name,
        sha256,
        contextTokens: size.contextTokens,
        sequences: settings.engine.sequences,
        endpoints: size.chats ? ["chat.completions", "completions"] : ["completions"],
      })),
      faults: this.#floor!.faults.map((fault) => ({ ...fault, message: fault.message.slice(0, faultMessageMax) })),
    };
  }

  #closedFor(): Refusal | undefined {
    const soon = { retryAfterSeconds: 1 };
    if (this.#stopped !== undefined) return refuse("draining", "The host is stopping.", soon);
    if (this.#loading !== undefined) return refuse("engine_unavailable", `Loading ${this.#loading}.`, soon);
    if (!this.#lease.holds) return refuse("engine_unavailable", "The host's lease has run out.", soon);
    return undefined;
  }

  async #forget(tenant: string | undefined): Promise<HostForgotten> {
    const running = [...this.#running].filter((each) => tenant === undefined || each.tenant === tenant);
    for (const generation of running) generation.isToForget = true;
    await this.#floor?.forget(tenant);
    return { running: running.length };
  }

  #sweep(): void {
    this.#lease.look();
    this.#floor?.desk.sweep();
    for (const { answer } of this.#running) answer.sweep();
    this.#tallies.sweep();
  }

  /** Waits until nothing runs, within a bound. Looks every few milliseconds: only a stop ever waits for this. */
  #idle(limitMs: number): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        cancelLimit();
        cancelLook();
        resolve();
      };
      const cancelLimit = clock.after(limitMs, done);
      const cancelLook = clock.every(5, () => {
        if (this.#running.size === 0) done();
      });
    });
  }

  /** Connections close as they fall idle, those that still send within a second. */
  #close(): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancelIdle = clock.every(10, () => this.#server.closeIdleConnections());
      const cancelAll = clock.after(1_000, () => this.#server.closeAllConnections());
      this.#server.close(() => {
        cancelIdle();
        cancelAll();
        resolve();
      });
    });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown";
}
