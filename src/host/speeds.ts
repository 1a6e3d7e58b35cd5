import type { ModelSize } from "../engine/index.ts";
import { type DevicePeaks, deviceTypes, estimatedSpeed, processorPeaks, type Speed } from "../pool/index.ts";

/** The type of a device by the name that its driver has for it ("NVIDIA H100 80GB HBM3"); undefined: not one we know. */
export function deviceTypeOf(name: string): string | undefined {
  const words = new Set(name.toLowerCase().split(/[^a-z0-9]+/));
  return deviceTypes.find(({ id }) => words.has(id))?.id;
}

/** What an accelerator that nobody knows is taken for, until its turns have been measured. */
const unknownPeaks: DevicePeaks = { bandwidthTBps: 0.5, tflops: 60, linkGBps: 8 };

/** A first guess of how fast a model is here; turns that are measured correct it. */
export function speedOn(device: string, threads: number, size: ModelSize): Speed {
  return estimatedSpeed(size, peaksOf(device, threads));
}

function peaksOf(device: string, threads: number): DevicePeaks {
  if (device === "cpu") return processorPeaks(threads);
  const id = deviceTypeOf(device);
  const type = deviceTypes.find((each) => each.id === id);
  if (type === undefined) return unknownPeaks;
  // From a file in the page cache, not from pinned memory: the link's own rate is not reached.
  return { bandwidthTBps: type.bandwidthTBps, tflops: type.bf16Tflops, linkGBps: type.linkGBps / 8 };
}
