import { calibrations } from "./calibration.ts";
import type { DeviceType } from "./devices.ts";
import type { Calibration } from "./fit.ts";
import type { ModelShape } from "./shape.ts";
import { findShape, sameSizes } from "./shapes.ts";

/** The calibration of this model on this device, or of a model with the same sizes: time does not know a tuning. */
export function findCalibration(shape: ModelShape, device: DeviceType): Calibration | undefined {
  const here = calibrations.filter((calibration) => calibration.device === device.id);
  return here.find(({ model }) => model === shape.id) ?? here.find(({ model }) => isAs(model, shape));
}

function isAs(model: string, shape: ModelShape): boolean {
  const found = findShape(model);
  return found.known && sameSizes(found.shape, shape);
}
