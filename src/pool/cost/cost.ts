import type { Speed } from "../types.ts";
import { findCalibration } from "./calibrated.ts";
import { fittedSpeed } from "./fit.ts";
import { rooflineFactors } from "./calibration.ts";
import type { DeviceType } from "./devices.ts";
import { rooflineSpeed } from "./roofline.ts";
import { kvBytesPerToken, type ModelShape, weightsBytes } from "./shape.ts";

export interface Cost {
  readonly speed: Speed;
  /** `calibrated`: fitted to measurements of this model on this device. `roofline`: reckoned from both data sheets. */
  readonly basis: "calibrated" | "roofline";
}

export interface CostOptions {
  /** What the host has measured between its memory and the device; otherwise the data sheet's. */
  readonly linkGBps?: number;
  /** Devices that share the model. Only one is known. */
  readonly tensorParallel?: 1;
}

/** How fast the model is on one device of this type, in bf16: docs/reference/cost-model.md has the formulas. */
export function speedOf(shape: ModelShape, device: DeviceType, { linkGBps = device.linkGBps }: CostOptions = {}): Cost {
  const loadMs = weightsBytes(shape) / (linkGBps * 1e6);
  const calibration = findCalibration(shape, device);
  if (calibration !== undefined) return { speed: { ...fittedSpeed(calibration), loadMs }, basis: "calibrated" };
  return { speed: { ...rooflineSpeed(shape, device, rooflineFactors), loadMs }, basis: "roofline" };
}

/** What engines leave of a device's memory for activations and themselves (vLLM's `gpu_memory_utilization` is 0.9). */
const usableShare = 0.9;

/** Bytes of a device's memory that weights and KV may take. */
export function usableBytes(device: DeviceType): number {
  return device.memoryGiB * 2 ** 30 * usableShare;
}

/** Whether the device has the memory for the weights and the KV of `contextTokens` together. */
export function fits(shape: ModelShape, device: DeviceType, contextTokens = 1): boolean {
  const neededBytes = weightsBytes(shape) + contextTokens * kvBytesPerToken(shape);
  return neededBytes <= usableBytes(device);
}
