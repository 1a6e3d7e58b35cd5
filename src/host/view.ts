import type { Engine } from "../engine/index.ts";
import type { ModelSurvey, Pool, PoolRequest } from "../pool/index.ts";
import type { HostedModel } from "./hosted-model.ts";
import type { HostPool, HostPoolModel } from "./protocol.ts";
import type { Residents } from "./residents.ts";
import type { Schedule } from "./schedule.ts";
import type { HostSettings } from "./settings.ts";

export interface Viewed {
  readonly models: readonly HostedModel[];
  readonly files: HostSettings["models"];
  /** What memory each model can have at most. */
  readonly room: ReadonlyMap<string, number>;
  readonly pool: Pool;
  readonly schedule: Schedule;
  readonly residents: Residents;
  readonly engine: Engine;
  /** When the pool began. */
  readonly startedMs: number;
  readonly nowMs: number;
}

/** What the device does now, for whoever asks. */
export function viewOf(viewed: Viewed): HostPool {
  const { pool, schedule, residents, engine, models, startedMs, nowMs } = viewed;
  const { devices, pending } = pool.survey();
  const { turn, loading, usedBytes, models: surveyed } = devices[0]!;
  const byName = new Map(surveyed.map((each) => [each.model, each]));
  const { model, kind, sequences, sinceMs } = turn ?? {};
  return {
    device: {
      name: engine.device,
      memoryBytes: engine.memoryBytes,
      usedBytes,
      ...(turn === undefined
        ? {}
        : { turn: { model: model!, kind: kind!, sequences: sequences!, forMs: nowMs - sinceMs! } }),
      ...(loading === undefined ? {} : { loading: { model: loading.model, forMs: nowMs - loading.sinceMs } }),
    },
    models: models.map((each) => shown(each, byName.get(each.name), viewed)),
    pending,
    upForMs: nowMs - startedMs,
    totals: { ...schedule.totals, loadedBytes: residents.loadedBytes },
  };
}

function shown({ name, size }: HostedModel, survey: ModelSurvey | undefined, viewed: Viewed): HostPoolModel {
  const { room, files, nowMs } = viewed;
  const { dueMs, lastTurnMs } = survey ?? {};
  const firstTokenMs = viewed.pool.firstTokenMs(shortRequest(name));
  return {
    name,
    state: size.loadedBytes > room.get(name)! ? "too_large" : stateOf(survey),
    loadedBytes: size.loadedBytes,
    ...stayOf(files.find((file) => file.name === name)),
    waiting: survey?.waiting ?? 0,
    running: survey?.running ?? 0,
    ...(dueMs === undefined ? {} : { slackMs: dueMs - nowMs }),
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(lastTurnMs === undefined ? {} : { idleMs: nowMs - lastTurnMs }),
  };
}

/** What its settings say of its stay in memory, as far as they say something. */
function stayOf(file: Viewed["files"][number] | undefined) {
  const { pin = false, keepWarmMs = 0, unloadAfterMs } = file ?? {};
  return {
    isPinned: pin,
    ...(keepWarmMs > 0 ? { keepWarmMs } : {}),
    ...(unloadAfterMs === undefined ? {} : { unloadAfterMs }),
  };
}

/** What waiting times are told for. */
function shortRequest(model: string): PoolRequest {
  const objective = { ttftMs: 10_000, tpotMs: 100 };
  return { id: "", tenant: "", model, objective, inputTokens: 100, maxOutputTokens: 100, isPreemptible: true };
}

function stateOf(survey: ModelSurvey | undefined): HostPoolModel["state"] {
  if (survey === undefined) return "absent";
  return survey.weights === "absent" && survey.failures > 0 ? "failed" : survey.weights;
}
