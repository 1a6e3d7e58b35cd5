import type { Device, Lane } from "./state.ts";

/** What a device does now, for people and for whoever chooses among devices. Times are of the pool's clock. */
export interface DeviceSurvey {
  readonly id: string;
  readonly memoryBytes: number;
  readonly usedBytes: number;
  readonly turn?: {
    readonly model: string;
    readonly kind: "prefill" | "decode";
    readonly sequences: number;
    readonly sinceMs: number;
  };
  readonly loading?: { readonly model: string; readonly sinceMs: number };
  readonly models: readonly ModelSurvey[];
}

export interface ModelSurvey {
  readonly model: string;
  readonly weights: "absent" | "loading" | "resident";
  readonly waiting: number;
  readonly running: number;
  /** Copies that have failed one after the other. */
  readonly failures: number;
  /** Undefined: it has no work. */
  readonly dueMs: number | undefined;
  /** Undefined: it had no turn yet. */
  readonly lastTurnMs: number | undefined;
}

export function surveyOf(device: Device): DeviceSurvey {
  const { spec, turn, loading } = device;
  return {
    id: spec.id,
    memoryBytes: spec.memoryBytes,
    usedBytes: spec.memoryBytes - device.freeBytes,
    ...(turn === undefined ? {} : { turn: { ...shownTurn(turn), sinceMs: turn.startedMs } }),
    ...(loading === undefined ? {} : { loading: { model: loading.model.id, sinceMs: device.loadingSinceMs } }),
    models: [...device.lanes.values()].map(ofLane),
  };
}

function shownTurn({ lane, kind, sequences }: NonNullable<Device["turn"]>) {
  return { model: lane.model.id, kind, sequences: kind === "prefill" ? sequences.length : lane.running.length };
}

function ofLane(lane: Lane): ModelSurvey {
  const { first } = lane.waiting;
  const dueMs = Math.min(first?.dueMs ?? Infinity, lane.dueMs);
  return {
    model: lane.model.id,
    weights: lane.weights,
    waiting: lane.waiting.length,
    running: lane.running.length,
    failures: lane.failures,
    dueMs: Number.isFinite(dueMs) ? dueMs : undefined,
    lastTurnMs: lane.lastTurnMs,
  };
}
