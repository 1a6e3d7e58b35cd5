import type { Speed } from "../types.ts";
import { prefillMs, stepMs } from "../speed.ts";
import type { DeviceType } from "./devices.ts";
import { type DecodeFit, fittedSpeed, type PrefillFit } from "./fit.ts";
import { leastRelativeSquares, notNegative } from "./least-squares.ts";
import { leastTimes, type RooflineFactors, rooflineSpeed } from "./roofline.ts";
import type { ModelShape } from "./shape.ts";

/** A pair that has been measured. */
export interface MeasuredPair {
  readonly shape: ModelShape;
  readonly device: DeviceType;
  readonly prefill: PrefillFit;
  readonly decode: DecodeFit;
}

/** The roofline beside a measured pair at one point: 0.1 is ten percent too slow, -0.1 ten percent too fast. */
export interface RooflineError {
  readonly pair: MeasuredPair;
  readonly kind: "prefill" | "decode";
  readonly error: number;
}

/**
 * The factors that bring the roofline closest to the measured pairs, each coefficient by itself and by relative error.
 * A mixture of experts is left out: its kernels were measured in their first year and are far from any roof.
 */
export function fitRoofline(measured: readonly MeasuredPair[]): RooflineFactors {
  const pairs = measured.filter(({ shape }) => shape.experts === undefined);
  const least = pairs.map(({ shape, device }) => leastTimes(shape, device));
  const layers = pairs.map(({ shape }) => shape.layers);
  const read = least.map(({ readMs }, at) => [readMs, layers[at]!]);
  const [prefillCompute] = factors(
    least.map(({ tokenMs }) => [tokenMs]),
    pairs.map(({ prefill }) => prefill.tokenMs),
  );
  const [prefillRead, prefillLayerMs] = factors(
    read,
    pairs.map(({ prefill }) => prefill.fixedMs),
  );
  const [decodeRead, decodeLayerMs] = factors(
    read,
    pairs.map(({ decode }) => decode.fixedMs),
  );
  const [decodeCompute, decodeSequenceMs] = factors(
    least.map(({ sequenceMs }) => [sequenceMs, 1]),
    pairs.map(({ decode }) => decode.sequenceMs),
  );
  return {
    prefillCompute: prefillCompute!,
    prefillRead: prefillRead!,
    prefillLayerMs: prefillLayerMs!,
    decodeRead: decodeRead!,
    decodeLayerMs: decodeLayerMs!,
    decodeCompute: decodeCompute!,
    decodeSequenceMs: decodeSequenceMs!,
  };
}

function factors(rows: readonly (readonly number[])[], values: readonly number[]): readonly number[] {
  return leastRelativeSquares(
    rows,
    values,
    rows[0]!.map(() => notNegative),
  );
}

/**
 * How far the roofline is from each pair when it is fitted without those that `isKin` to it: the pair itself, or all of
 * its device or its model, which is what a pair that nobody has measured is like.
 */
export function leaveOut(
  measured: readonly MeasuredPair[],
  isKin: (one: MeasuredPair, other: MeasuredPair) => boolean,
): readonly RooflineError[] {
  return measured.flatMap((pair) => {
    const others = measured.filter((other) => !isKin(pair, other));
    return errorsOf(pair, rooflineSpeed(pair.shape, pair.device, fitRoofline(others)));
  });
}

const prompts = [512, 2048];
const batches = [1, 8, 32];
const contextOfEach = 512;

function errorsOf(pair: MeasuredPair, roofline: Omit<Speed, "loadMs">): readonly RooflineError[] {
  const guess = { ...roofline, loadMs: 0 };
  const truth = { ...fittedSpeed(pair), loadMs: 0 };
  return [
    ...prompts.map((tokens) => ({
      pair,
      kind: "prefill" as const,
      error: prefillMs(guess, tokens) / prefillMs(truth, tokens) - 1,
    })),
    ...batches.map((batch) => ({
      pair,
      kind: "decode" as const,
      error: stepMs(guess, batch, batch * contextOfEach) / stepMs(truth, batch, batch * contextOfEach) - 1,
    })),
  ];
}
