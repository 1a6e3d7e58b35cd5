import { Correction, type TurnKind } from "./cost/correction.ts";
import type { MeasuredTurn } from "./host-events.ts";
import { prefillMs, stepsMs } from "./speed.ts";
import type { Device, Lane, Turn } from "./state.ts";
import type { PoolModel, Speed } from "./types.ts";

/** A first guess from a file's size can be far off; what is measured counts more. */
const factorMax = 64;
/** How much the latest copy says of the next one. */
const copyWeight = 0.5;
/** So many turns go by before lanes of a model take over what was learnt. */
const turnsOfUpdate = 4;

/** What measured turns and copies say of the speeds that were predicted: lanes go by what it has learnt. */
export class Learner {
  readonly #correction = new Correction({ factorMax });
  readonly #predicted = new Map<string, Speed>();
  readonly #copiesMs = new Map<string, number>();
  #turns = 0;

  /** The speed to go by on this device, where `predicted` is the cost model's. */
  speedOf(model: PoolModel, device: Device, predicted: Speed): Speed {
    const key = keyOf(model, device);
    this.#predicted.set(key, predicted);
    const corrected = this.#correction.corrected(predicted, model.id, device.spec.type);
    return { ...corrected, loadMs: this.#copiesMs.get(key) ?? predicted.loadMs };
  }

  /**
   * A turn is over. A prompt's time is known with its first token, by its part of the turns since it began; that of a step
   * where no prompt was computed beside it.
   */
  measured(turn: Turn, { tokens }: MeasuredTurn, nowMs: number): void {
    const { lane, startedMs } = turn;
    const predicted = this.#predicted.get(keyOf(lane.model, lane.device));
    const mostTokens = Math.max(0, ...tokens.values());
    if (predicted === undefined || mostTokens === 0) return;
    const begun = lane.running.filter(({ promptLeftMs }) => promptLeftMs > 0);
    const prompts = turn.kind === "prefill" ? [...begun, ...turn.sequences] : begun;
    for (const { request, contextTokens, promptSpentMs } of prompts) {
      const isDone = (tokens.get(request.id) ?? 0) > 0;
      const measuredMs = promptSpentMs + (nowMs - startedMs) / prompts.length;
      if (isDone) this.#report(lane, "prefill", prefillMs(predicted, contextTokens), measuredMs);
    }
    if (turn.kind === "decode" && prompts.length === 0) {
      const predictedMs = stepsMs(predicted, turn.sequences.length, turn.contextTokens, mostTokens);
      this.#report(lane, "decode", predictedMs, nowMs - startedMs);
    }
    if (this.#turns++ % turnsOfUpdate === 0) lane.speed = this.speedOf(lane.model, lane.device, predicted);
  }

  #report({ model, device }: Lane, kind: TurnKind, predictedMs: number, measuredMs: number): void {
    this.#correction.report({ model: model.id, deviceType: device.spec.type, kind, predictedMs, measuredMs });
  }

  copied(lane: Lane, durationMs: number): void {
    const key = keyOf(lane.model, lane.device);
    const before = this.#copiesMs.get(key);
    const learnt = before === undefined ? durationMs : before + copyWeight * (durationMs - before);
    this.#copiesMs.set(key, learnt);
    lane.speed = { ...lane.speed, loadMs: learnt };
  }
}

function keyOf(model: PoolModel, device: Device): string {
  return JSON.stringify([model.id, device.spec.type]);
}
