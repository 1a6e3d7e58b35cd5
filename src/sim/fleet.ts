import {
  type DeviceType,
  deviceTypes,
  findDevice,
  findShape,
  type Fleet,
  kvBytesPerToken,
  modelShapes,
  type ModelShape,
  type PoolDevice,
  type PoolModel,
  type Speed,
  speedOf,
  weightsBytes,
} from "../pool/index.ts";
import { SimulationError } from "./problem.ts";

export interface DeviceCount {
  readonly type: DeviceType;
  readonly count: number;
}

const devicesMax = 10_000;

/** `16xH100`, `4xH100+4xH20`; a type alone is one of it. */
export function parseFleet(text: string): readonly DeviceCount[] {
  const parts = text.split("+").map((part) => {
    const match = /^(?:(-?\d*\.?\d+)x)?([\w.-]+)$/i.exec(part.trim());
    if (match === null) throw new SimulationError(`"${part}" is no part of a fleet: write 16xH100, or 4xH100+4xH20`);
    const count = Number(match[1] ?? 1);
    if (count === 0) throw new SimulationError(`"${part}" has no device: write 1xH100 at least, or leave it out`);
    if (count < 0 || !Number.isInteger(count)) {
      throw new SimulationError(`"${part}" has ${match[1]} devices: write a whole number of them, as in 16xH100`);
    }
    return { type: deviceTypeOf(match[2]!), count };
  });
  if (parts.reduce((sum, { count }) => sum + count, 0) > devicesMax) {
    throw new SimulationError(`"${text}" has more than ${devicesMax} devices, which is the most that is simulated`);
  }
  return parts;
}

export function deviceTypeOf(id: string): DeviceType {
  const found = findDevice(id);
  if (found.known) return found.device;
  const known = deviceTypes.map((type) => type.id).join(", ");
  throw new SimulationError(`there is no device "${id}"${meant(found.nearest)}; known: ${known}`);
}

/** `qwen2.5-7b,llama2-13b`: the sizes that the workload's models have in turn. */
export function parseShapes(text: string): readonly ModelShape[] {
  return text.split(",").map((id) => {
    const found = findShape(id.trim());
    if (found.known) return found.shape;
    const known = modelShapes.map((shape) => shape.id).join(", ");
    throw new SimulationError(`there is no model "${id}"${meant(found.nearest)}; known: ${known}`);
  });
}

function meant(nearest: string | undefined): string {
  return nearest === undefined ? "" : ` (did you mean "${nearest}"?)`;
}

/** The fleet as the pool sees it: the workload's models have the shapes in turn. */
export function buildFleet(
  counts: readonly DeviceCount[],
  models: readonly string[],
  shapes: readonly ModelShape[],
  linkGBps: number | undefined,
): Fleet {
  const shapeOf = new Map(models.map((id, index) => [id, shapes[index % shapes.length]!]));
  const types = new Map<string, DeviceType>();
  const devices = counts.flatMap(({ type, count }) => {
    types.set(type.id, type);
    return Array.from({ length: count }, (_, index): PoolDevice => {
      const linkBytesPerMs = (linkGBps ?? type.linkGBps) * 1e6;
      return { id: `${type.id}-${index + 1}`, type: type.id, memoryBytes: type.memoryGiB * 2 ** 30, linkBytesPerMs };
    });
  });
  const speeds = new Map<string, Speed>();
  return {
    devices,
    models: [...shapeOf].map(([id, shape]): PoolModel => {
      const { contextTokens } = shape;
      return { id, weightsBytes: weightsBytes(shape), kvBytesPerToken: kvBytesPerToken(shape), contextTokens };
    }),
    speed(model, device) {
      const shape = shapeOf.get(model.id)!;
      const key = `${shape.id} ${device.type}`;
      let speed = speeds.get(key);
      if (speed === undefined) {
        ({ speed } = speedOf(shape, types.get(device.type)!, linkGBps === undefined ? {} : { linkGBps }));
        speeds.set(key, speed);
      }
      return speed;
    },
  };
}
