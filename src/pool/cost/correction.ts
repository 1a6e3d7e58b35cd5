import type { Speed } from "../types.ts";

export type TurnKind = "prefill" | "decode";

/** What a host has measured of one turn, beside what the cost model says of it without any correction. */
export interface TurnReport {
  readonly model: string;
  /** The device's type: all devices of a type are taken for equal. */
  readonly deviceType: string;
  readonly kind: TurnKind;
  readonly predictedMs: number;
  readonly measuredMs: number;
}

export interface CorrectionOptions {
  /** Reports after which about two thirds (1 - 1/e) of an older opinion are forgotten. */
  readonly memoryReports?: number;
  /** Factors that are kept; the one that has gone unreported longest makes room. */
  readonly factorsMax?: number;
  /** What a factor, or its inverse, stays below. 4: further off than that, the model or the host is wrong, not the hardware. */
  readonly factorMax?: number;
}

interface Factor {
  logarithm: number;
  reports: number;
}

/** One report says at most twice or half of what was held true: a stall of the host is not the device's speed. */
const stepMax = Math.log(2);

/**
 * Learns from measured turns by what the cost model is off, as one factor for each model, type of device and kind of
 * turn. Logarithms are averaged, so that twice and half as long cancel out, each report with a weight of 1/n while there
 * are few (the prediction itself counts as the first) and of 1/`memoryReports` from then on. The same reports in the
 * same order give the same factors.
 */
export class Correction {
  readonly #memoryReports: number;
  readonly #factorsMax: number;
  readonly #logarithmMax: number;
  /** In the order of their last report. */
  readonly #factors = new Map<string, Factor>();

  constructor({ memoryReports = 32, factorsMax = 4096, factorMax = 4 }: CorrectionOptions = {}) {
    this.#memoryReports = memoryReports;
    this.#factorsMax = factorsMax;
    this.#logarithmMax = Math.log(factorMax);
  }

  /** A report whose times are no positive numbers is passed over. */
  report({ model, deviceType, kind, predictedMs, measuredMs }: TurnReport): void {
    const told = Math.log(measuredMs / predictedMs);
    if (!Number.isFinite(told) || !(measuredMs > 0)) return;
    const key = keyOf(model, deviceType, kind);
    const before = this.#factors.get(key) ?? { logarithm: 0, reports: 0 };
    const reports = before.reports + 1;
    const weight = Math.max(1 / (reports + 1), 1 / this.#memoryReports);
    const step = within(told - before.logarithm, stepMax);
    const logarithm = within(before.logarithm + weight * step, this.#logarithmMax);
    this.#factors.delete(key);
    this.#factors.set(key, { logarithm, reports });
    if (this.#factors.size > this.#factorsMax) this.#factors.delete(this.#factors.keys().next().value!);
  }

  /** What the cost model's times are to be multiplied by: 1 where nothing was reported. */
  factor(model: string, deviceType: string, kind: TurnKind): number {
    return Math.exp(this.#factors.get(keyOf(model, deviceType, kind))?.logarithm ?? 0);
  }

  /** The speed as the reports have it. Loading is not corrected: it is no turn. */
  corrected(speed: Speed, model: string, deviceType: string): Speed {
    const prefill = this.factor(model, deviceType, "prefill");
    const decode = this.factor(model, deviceType, "decode");
    return {
      prefillFixedMs: speed.prefillFixedMs * prefill,
      prefillTokenMs: speed.prefillTokenMs * prefill,
      prefillTokenSquaredMs: speed.prefillTokenSquaredMs * prefill,
      decodeFixedMs: speed.decodeFixedMs * decode,
      decodeSequenceMs: speed.decodeSequenceMs * decode,
      decodeContextTokenMs: speed.decodeContextTokenMs * decode,
      loadMs: speed.loadMs,
    };
  }
}

/** JSON, because a model's name may hold any character. */
function keyOf(model: string, deviceType: string, kind: TurnKind): string {
  return JSON.stringify([model, deviceType, kind]);
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
