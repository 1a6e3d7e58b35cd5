import type { Device } from "./state.ts";
import type { PoolModel, PoolRequest } from "./types.ts";

/** Whether the request may run there, and could be there at all. */
export function canHold(device: Device, model: PoolModel, request: PoolRequest): boolean {
  return isPermitted(device, request) && isOpenTo(device, request) && hasMemory(device, model, request);
}

/** What is reserved is its tenant's, and for others what gives way at once. */
export function isOpenTo({ reservedFor }: Device, { tenant, isPreemptible }: PoolRequest): boolean {
  return reservedFor === undefined || reservedFor === tenant || isPreemptible === true;
}

export function isPermitted({ spec }: Device, { permitted }: PoolRequest): boolean {
  return permitted === undefined || permitted.has(spec.id);
}

/** For the model and the request's KV, with nothing else there but what never leaves. */
export function hasMemory(device: Device, model: PoolModel, { inputTokens, maxOutputTokens }: PoolRequest): boolean {
  const neededBytes = model.weightsBytes + (inputTokens + maxOutputTokens) * model.kvBytesPerToken;
  return neededBytes <= device.spec.memoryBytes - device.pinnedBytesBeside(model);
}
