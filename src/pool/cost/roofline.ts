import type { Speed } from "../types.ts";
import type { DeviceType } from "./devices.ts";
import {
  attentionFlopPerTokenSquared,
  decodeFlop,
  kvBytesPerToken,
  layerFlop,
  type ModelShape,
  readBytes,
} from "./shape.ts";

/**
 * How much longer than the data sheets allow things take, the same for every pair: multiples of the least time (so an
 * efficiency is one over it), and what is spent besides.
 */
export interface RooflineFactors {
  /** Of the time to compute a prompt's token. */
  readonly prefillCompute: number;
  /** Of the time to read the weights, which a short prompt waits for. */
  readonly prefillRead: number;
  /** Starting a layer's kernels. */
  readonly prefillLayerMs: number;
  /** Of the time to read the weights in a decode step. */
  readonly decodeRead: number;
  readonly decodeLayerMs: number;
  /** Of the time to compute a sequence's token. */
  readonly decodeCompute: number;
  /** Sampling and bookkeeping of a sequence. */
  readonly decodeSequenceMs: number;
}

/** What a model and a device take at the least, by their data sheets. */
export interface LeastTimes {
  readonly tokenMs: number;
  readonly readMs: number;
  readonly sequenceMs: number;
}

/**
 * A step reads the experts that some sequence needs, which no straight line in the sequences gives; it is reckoned for
 * this many, in the middle of what a pooled model runs.
 */
const sequencesOfExperts = 8;

export function leastTimes(shape: ModelShape, device: DeviceType): LeastTimes {
  return {
    tokenMs: layerFlop(shape) / flopPerMs(device),
    readMs: readBytes(shape, sequencesOfExperts) / bytesPerMs(device),
    sequenceMs: decodeFlop(shape) / flopPerMs(device),
  };
}

/**
 * Milliseconds for a token of context in a decode step: its key and value are read, at four fifths of the bandwidth.
 * Used for calibrated pairs too: see docs/reference/cost-model.md, "What the measurements do not tell".
 */
export function contextTokenMs(shape: ModelShape, device: DeviceType): number {
  return kvBytesPerToken(shape) / (bytesPerMs(device) * 0.8);
}

/** Milliseconds of attention in a prompt, over the square of its tokens, at three fifths of the operations. */
export function tokenSquaredMs(shape: ModelShape, device: DeviceType): number {
  return attentionFlopPerTokenSquared(shape) / (flopPerMs(device) * 0.6);
}

/**
 * A speed from the data sheets: a prompt is bound by operations, a decode step by the bytes it reads (Williams et al.,
 * "Roofline", CACM 52(4), 2009), both with a share lost and an overhead for each layer.
 */
export function rooflineSpeed(shape: ModelShape, device: DeviceType, factors: RooflineFactors): Omit<Speed, "loadMs"> {
  return {
    ...withLosses(leastTimes(shape, device), shape.layers, factors),
    prefillTokenSquaredMs: tokenSquaredMs(shape, device),
    decodeContextTokenMs: contextTokenMs(shape, device),
  };
}

/** The least times with what is lost and spent besides; attention is apart. */
export function withLosses({ tokenMs, readMs, sequenceMs }: LeastTimes, layers: number, factors: RooflineFactors) {
  return {
    prefillFixedMs: factors.prefillRead * readMs + factors.prefillLayerMs * layers,
    prefillTokenMs: factors.prefillCompute * tokenMs,
    decodeFixedMs: factors.decodeRead * readMs + factors.decodeLayerMs * layers,
    decodeSequenceMs: factors.decodeCompute * sequenceMs + factors.decodeSequenceMs,
  };
}

function flopPerMs(device: DeviceType): number {
  return device.bf16Tflops * 1e9;
}

function bytesPerMs(device: DeviceType): number {
  return device.bandwidthTBps * 1e9;
}
