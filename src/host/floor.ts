import { mkdirSync } from "node:fs";
import type { Clock, Refusal } from "../base/index.ts";
import type { Engine, ModelFault, ModelSize } from "../engine/index.ts";
import { systemFingerprint } from "../engine/openai/index.ts";
import { defaultTuning, Pool, type PoolModel, type Tuning } from "../pool/index.ts";
import { type Desk, PoolDesk } from "./desk.ts";
import type { HostedModel } from "./hosted-model.ts";
import { LoadTimes } from "./load-times.ts";
import type { Log } from "./log.ts";
import type { HostPool, HostReservation } from "./protocol.ts";
import { createReadAhead } from "./read-ahead.ts";
import { Residents } from "./residents.ts";
import { roomOf } from "./room.ts";
import { Schedule } from "./schedule.ts";
import type { HostSettings } from "./settings.ts";
import { sizesOf } from "./sizes.ts";
import { deviceTypeOf, speedOn } from "./speeds.ts";
import { Suspects } from "./suspects.ts";
import { viewOf } from "./view.ts";
import { wouldFit } from "./would-fit.ts";

export interface FloorOptions {
  readonly settings: HostSettings;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  /** A model begins to be loaded. */
  readonly onLoading: (model: string) => void;
  readonly onHung: (why: string) => void;
}

/** Where a device works: its pool, what is in its memory, and the desk where answers ask for their turn. */
export interface Floor {
  readonly models: readonly HostedModel[];
  /** What it was to serve and cannot. */
  readonly faults: readonly ModelFault[];
  readonly desk: Desk;
  /** Fulfilled once what is pinned is there, and one model at least. Rejects where none can be loaded. */
  readonly begun: Promise<void>;
  view(): HostPool;
  /** What is reserved from now on. */
  reserve(reservations: readonly HostReservation[]): void;
  /** No model finds again what the tenant has asked before; undefined: what anybody has. */
  forget(tenant: string | undefined): Promise<void>;
  stop(): void;
}

/** The engine says itself what its memory is, and what a loaded model takes of it: nothing is kept back. */
const hostTuning: Tuning = { ...defaultTuning, memoryShare: 1, preloads: true, learns: true, relaxes: true };

/** Reads what the models are like, and begins to load what there is room for. Rejects where no model can be read. */
export async function openFloor(options: FloorOptions): Promise<Floor> {
  const { settings, engine, clock, log } = options;
  mkdirSync(settings.folder, { recursive: true });
  const { sizes, unreadable } = await sizesOf(settings, engine);
  const faults = [...(settings.faults ?? []), ...unreadable];
  for (const { model, code, message, next } of faults)
    log("error", "a model is not served", { model, code, reason: message, next });
  const files = settings.models.filter(({ name }) => sizes.has(name));
  const models = files.map((file): HostedModel => {
    const fingerprint = systemFingerprint(engine.build, file.sha256);
    return { name: file.name, sha256: file.sha256, size: sizes.get(file.name)!, fingerprint };
  });
  const room = roomOf(files, sizes, engine.memoryBytes);
  warnOfSizes(models, room, engine, log);
  const residents = new Residents({
    engine,
    clock,
    log,
    suspects: new Suspects(settings.folder, () => clock.nowMs(), log),
    loadTimeoutMs: settings.engine.loadTimeoutMs,
    bytesOf: (name) => sizes.get(name)!.loadedBytes,
    readAhead: engine.loadsAlone ? createReadAhead(clock) : () => Promise.resolve(),
    onLoaded: (model, durationMs) => loadTimes.took(model, durationMs),
    onLost: (model) => schedule.lost(model),
    onHung: (model) => {
      if (engine.loadsAlone) options.onHung(`loading ${model} hangs, and the engine with it`);
    },
  });
  const loadTimes = loadTimesOf(options, files, sizes);
  const pool = poolOf(options, files, sizes, loadTimes);
  const byName = new Map(files.map((file) => [file.name, file]));
  const first = Promise.withResolvers<void>();
  const hindrance = (name: string): Refusal | undefined => residents.hindrance(name);
  const schedule: Schedule = new Schedule({
    clock,
    pool,
    device: settings.host,
    model: (name) => residents.get(name),
    load: (name) => {
      options.onLoading(name);
      return residents.load(byName.get(name)!);
    },
    unload: (name) => residents.unload(name),
    hindrance,
    onLoad: () => settle(),
    onBroken: (what, error) => log("error", "the pool and the engine disagree", { what, reason: String(error) }),
  });
  const { objective, queuedPerModel } = settings;
  const { sequences } = settings.engine;
  const desk = new PoolDesk({ pool, schedule, objective, queuedPerModel, sequences, hindrance });
  const settle = (): void => {
    const state = startOf({ files, models, residents, schedule, engine });
    if (state instanceof Error) first.reject(state);
    else if (state === "ready") first.resolve();
  };
  const startedMs = clock.monotonicMs();
  schedule.start();
  settle();
  const view = (): HostPool =>
    viewOf({ models, files, room, pool, schedule, residents, engine, startedMs, nowMs: clock.monotonicMs() });
  const reserve = (reservations: readonly HostReservation[]): void => schedule.reserve(reservations);
  const forget = (tenant: string | undefined): Promise<void> => residents.forget(tenant);
  return { models, faults, desk, begun: first.promise, view, reserve, forget, stop: () => schedule.stop() };
}

interface Starting extends Pick<FloorOptions, "engine"> {
  readonly files: HostSettings["models"];
  readonly models: readonly HostedModel[];
  readonly residents: Residents;
  readonly schedule: Schedule;
}

/** How far a start is: ready, still loading what it has to have, or over, with the reason. */
function startOf({ files, models, residents, schedule, engine }: Starting): "ready" | "loading" | Error {
  const isMissing = files.some(({ name, pin }) => pin === true && residents.isUntried(name));
  const isAnyThere = files.some(({ name }) => residents.get(name) !== undefined);
  if (schedule.isLoading && (isMissing || !isAnyThere)) return "loading";
  if (isAnyThere) return "ready";
  const [reason] = residents.failures.values();
  if (reason !== undefined) return new Error(reason);
  const hasRoom = models.some(({ size }) => size.loadedBytes <= engine.memoryBytes);
  // Where there is room nothing is to be loaded before somebody asks for it.
  return hasRoom ? "ready" : new Error(noRoomText(models, engine.memoryBytes));
}

/** Names the smallest model, because it is the least that would have to be found room for. */
function noRoomText(models: readonly HostedModel[], memoryBytes: number): string {
  const [smallest] = models.toSorted((a, b) => a.size.loadedBytes - b.size.loadedBytes);
  const { name, size } = smallest!;
  const needed = size.loadedBytes;
  return (
    `no model has room in ${memoryBytes} bytes (engine.memoryBytes): the smallest, ${name}, needs ${needed} with its ` +
    `context. Set engine.memoryBytes to ${needed} or more where the device has it, or serve a ` +
    "smaller model, or fewer tokens and sequences (engine.contextTokens, engine.sequences)"
  );
}

function loadTimesOf(
  { settings, engine }: FloorOptions,
  files: HostSettings["models"],
  sizes: ReadonlyMap<string, ModelSize>,
): LoadTimes {
  const { threads, sequences } = settings.engine;
  const models = files.map(({ name, sha256, contextTokens }) => ({
    name,
    key: JSON.stringify([engine.build, sha256, contextTokens, sequences]),
    estimateMs: speedOn(engine.device, threads, sizes.get(name)!).loadMs,
  }));
  return new LoadTimes(settings.folder, models);
}

function poolOf(
  { settings, engine }: FloorOptions,
  files: HostSettings["models"],
  sizes: ReadonlyMap<string, ModelSize>,
  loadTimes: LoadTimes,
): Pool {
  const device = {
    id: settings.host,
    type: deviceTypeOf(engine.device) ?? engine.device,
    memoryBytes: engine.memoryBytes,
    linkBytesPerMs: 1e6,
    keepsKv: false,
  };
  const models = files.map((file): PoolModel => {
    const { loadedBytes, kvBytesPerToken, contextTokens } = sizes.get(file.name)!;
    return {
      id: file.name,
      weightsBytes: loadedBytes,
      kvBytesPerToken,
      contextTokens,
      sequencesMax: settings.engine.sequences,
      isPinned: file.pin ?? false,
      ...(file.keepWarmMs === undefined ? {} : { keepWarmMs: file.keepWarmMs }),
      ...(file.unloadAfterMs === undefined ? {} : { unloadAfterMs: file.unloadAfterMs }),
    };
  });
  const speed = ({ id }: PoolModel) => ({
    ...speedOn(engine.device, settings.engine.threads, sizes.get(id)!),
    loadMs: loadTimes.guessMs(id),
  });
  return new Pool({ devices: [device], models, speed }, hostTuning);
}

/** A model that this device never has room for is served by no request, and the operator is told what would have it. */
function warnOfSizes(
  models: readonly HostedModel[],
  room: ReadonlyMap<string, number>,
  engine: Engine,
  log: Log,
): void {
  for (const { name, size } of models) {
    const neededBytes = size.loadedBytes;
    const roomBytes = room.get(name)!;
    if (neededBytes <= roomBytes) continue;
    const facts = { model: name, neededBytes, memoryBytes: engine.memoryBytes, roomBesidePinnedBytes: roomBytes };
    log("warn", "a model has no room on this device", { ...facts, wouldFit: wouldFit(neededBytes) });
  }
}
