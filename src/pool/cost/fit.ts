import type { Speed } from "../types.ts";
import { type Bounds, leastRelativeSquares, notNegative } from "./least-squares.ts";

/** A measurement: `batch` prompts of `inputTokens` each, together, took `ms`. */
export interface PrefillPoint {
  readonly inputTokens: number;
  readonly batch: number;
  readonly ms: number;
}

/** A measurement: one decode step of `batch` sequences that have `contextTokens` together took `ms`. */
export interface DecodePoint {
  readonly contextTokens: number;
  readonly batch: number;
  readonly ms: number;
}

/** How far a fit is from its points: absolute relative errors, 0.05 is five percent. */
export interface FitError {
  readonly points: number;
  readonly medianError: number;
  /** Nine in ten points are closer. */
  readonly ninetiethError: number;
}

export interface PrefillFit extends FitError {
  readonly fixedMs: number;
  readonly tokenMs: number;
  readonly tokenSquaredMs: number;
}

export interface DecodeFit extends FitError {
  readonly fixedMs: number;
  readonly sequenceMs: number;
  readonly contextTokenMs: number;
}

/** What was measured of one model on one device, alone, in bf16. */
export interface Calibration {
  readonly model: string;
  readonly device: string;
  readonly prefill: PrefillFit;
  readonly decode: DecodeFit;
}

/** What fits say in the pool's words, but for the copy, which they know nothing of. */
export function fittedSpeed({ prefill, decode }: Pick<Calibration, "prefill" | "decode">): Omit<Speed, "loadMs"> {
  return {
    prefillFixedMs: prefill.fixedMs,
    prefillTokenMs: prefill.tokenMs,
    prefillTokenSquaredMs: prefill.tokenSquaredMs,
    decodeFixedMs: decode.fixedMs,
    decodeSequenceMs: decode.sequenceMs,
    decodeContextTokenMs: decode.contextTokenMs,
  };
}

/**
 * Fits a prefill to fixed + tokens x t + squares x s: t is the tokens of all prompts, s the sum of their squares. The
 * form is DistServe's (Zhong et al., OSDI 2024, arXiv:2401.09670, appendix A). `tokenSquaredMs` bounds the last
 * coefficient, which short prompts tell little about.
 */
export function fitPrefill(points: readonly PrefillPoint[], tokenSquaredMs: Bounds = notNegative): PrefillFit {
  const rows = points.map(({ inputTokens, batch }) => [1, batch * inputTokens, batch * inputTokens ** 2]);
  const coefficients = fitted(rows, points, tokenSquaredMs);
  const [fixedMs, tokenMs, squaredMs] = coefficients as readonly [number, number, number];
  return { fixedMs, tokenMs, tokenSquaredMs: squaredMs, ...errorOf(rows, points, coefficients) };
}

/**
 * Fits a decode step to fixed + sequences x b + context x c: b sequences that have c tokens of context together
 * (DistServe, as above). `contextTokenMs` bounds the last coefficient.
 */
export function fitDecode(points: readonly DecodePoint[], contextTokenMs: Bounds = notNegative): DecodeFit {
  const rows = points.map(({ contextTokens, batch }) => [1, batch, contextTokens]);
  const coefficients = fitted(rows, points, contextTokenMs);
  const [fixedMs, sequenceMs, contextMs] = coefficients as readonly [number, number, number];
  return { fixedMs, sequenceMs, contextTokenMs: contextMs, ...errorOf(rows, points, coefficients) };
}

function fitted(
  rows: readonly (readonly number[])[],
  points: readonly { readonly ms: number }[],
  last: Bounds,
): readonly number[] {
  const values = points.map(({ ms }) => ms);
  return leastRelativeSquares(rows, values, [notNegative, notNegative, last]);
}

function errorOf(
  rows: readonly (readonly number[])[],
  points: readonly { readonly ms: number }[],
  coefficients: readonly number[],
): FitError {
  const errors = rows.map((row, at) => {
    const ms = row.reduce((sum, cell, column) => sum + cell * coefficients[column]!, 0);
    return Math.abs(ms / points[at]!.ms - 1);
  });
  return { points: points.length, medianError: quantile(errors, 0.5), ninetiethError: quantile(errors, 0.9) };
}

/** The smallest value that at least this share of the values does not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
