import type { Speed } from "../types.ts";
import { rooflineFactors } from "./calibration.ts";
import { withLosses } from "./roofline.ts";

/** What can be known of a model from its file alone, whatever its architecture and its quantisation. */
export interface ModelFacts {
  readonly weightsBytes: number;
  readonly parameters: number;
  readonly layers: number;
  /** What loading it brings into memory. */
  readonly loadedBytes: number;
}

/** Peaks of whatever computes. */
export interface DevicePeaks {
  readonly bandwidthTBps: number;
  readonly tflops: number;
  readonly linkGBps: number;
}

/** Opening a file, its tokenizer, its buffers: before any weight is copied. */
const loadFixedMs = 200;

/**
 * A first guess of a speed for a model of which only the file is known: every weight is read for a step, and takes two
 * operations a token. Attention is left out. What is then measured corrects it (correction.ts).
 */
export function estimatedSpeed(model: ModelFacts, device: DevicePeaks): Speed {
  const tokenMs = (2 * model.parameters) / (device.tflops * 1e9);
  const readMs = model.weightsBytes / (device.bandwidthTBps * 1e9);
  return {
    ...withLosses({ tokenMs, readMs, sequenceMs: tokenMs }, model.layers, rooflineFactors),
    prefillTokenSquaredMs: 0,
    decodeContextTokenMs: 0,
    loadMs: loadFixedMs + model.weightsBytes / (device.linkGBps * 1e6),
  };
}

/** A core of a server: some tens of operations a nanosecond, and a part of the memory's bandwidth. */
export function processorPeaks(threads: number): DevicePeaks {
  return { bandwidthTBps: Math.min(0.2, 0.012 * threads), tflops: 0.04 * threads, linkGBps: 1 };
}
