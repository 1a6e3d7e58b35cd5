import type { Speed } from "./types.ts";

/** Milliseconds that a prompt takes alone. */
export function prefillMs(speed: Speed, tokens: number): number {
  return speed.prefillFixedMs + tokens * (speed.prefillTokenMs + tokens * speed.prefillTokenSquaredMs);
}

/** Milliseconds of one decode step for `sequences` that have `contextTokens` together. */
export function stepMs(speed: Speed, sequences: number, contextTokens: number): number {
  return speed.decodeFixedMs + sequences * speed.decodeSequenceMs + contextTokens * speed.decodeContextTokenMs;
}

/** Milliseconds of `steps` decode steps one after the other, each of which adds a token to every context. */
export function stepsMs(speed: Speed, sequences: number, contextTokens: number, steps: number): number {
  const growth = (speed.decodeContextTokenMs * sequences * steps * (steps - 1)) / 2;
  return steps * stepMs(speed, sequences, contextTokens) + growth;
}

/** The fewest steps that take at least `durationMs`; at least one. */
export function stepsWithin(speed: Speed, sequences: number, contextTokens: number, durationMs: number): number {
  const first = stepMs(speed, sequences, contextTokens);
  const growth = (speed.decodeContextTokenMs * sequences) / 2;
  // growth x n^2 + (first - growth) x n = duration, solved for n.
  const linear = first - growth;
  const exact =
    growth < 1e-12
      ? durationMs / first
      : (Math.sqrt(linear * linear + 4 * growth * Math.max(0, durationMs)) - linear) / (2 * growth);
  return Math.max(1, Math.ceil(exact - 1e-9));
}
