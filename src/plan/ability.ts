import { type DeviceType, prefillMs, stepsMs, weightsBytes } from "../pool/index.ts";
import { type Prepared, roomBytes, SimulationError, type Workload } from "../sim/index.ts";
import type { Terms } from "./question.ts";
import type { Trials } from "./trial.ts";

/** Whether one device of a type, with nothing else to do, keeps what is promised for a model. */
export type Ability =
  | { readonly able: true }
  /** The weights, and the KV of the requests one at a time, are more than it has room for. */
  | { readonly able: false; readonly lacks: "memory"; readonly neededGiB: number }
  /** Too slow even for one request alone. */
  | { readonly able: false; readonly lacks: "speed"; readonly metShare: number };

/** Of so many requests at most; evenly taken. */
const sampleMax = 500;

/**
 * Tried on the requests one by one, without a simulation: a device that would miss more of one model's requests alone
 * than may be missed of all is not counted on for that model.
 */
export function abilityOf(type: DeviceType, model: string, workload: Workload, terms: Terms, trials: Trials): Ability {
  const shape = terms.shapes.get(model)!;
  const memoryBytes = roomBytes(type);
  const weights = weightsBytes(shape);
  if (weights >= memoryBytes) return { able: false, lacks: "memory", neededGiB: weights / 2 ** 30 };
  const own = workload.requests.filter((request) => request.model === model);
  const step = Math.max(1, Math.floor(own.length / sampleMax));
  const sample = own.filter((_, index) => index % step === 0);
  const prepared = preparedOrNone(type, { ...workload, requests: sample }, trials);
  // Longer than the model's context, all of them: no device's doing.
  if (prepared === undefined) return { able: true };
  const { fleet, requests } = prepared;
  const [spec] = fleet.models;
  const speed = fleet.speed(spec!, fleet.devices[0]!);
  let [held, met, mostBytes] = [0, 0, 0];
  for (const { inputTokens, outputTokens, maxOutputTokens, objective } of requests) {
    const bytes = spec!.weightsBytes + (inputTokens + maxOutputTokens) * spec!.kvBytesPerToken;
    mostBytes = Math.max(mostBytes, bytes);
    if (bytes > memoryBytes) continue;
    held++;
    const firstMs = prefillMs(speed, inputTokens);
    const lastMs = firstMs + stepsMs(speed, 1, inputTokens + 1, outputTokens - 1);
    if (firstMs <= objective.ttftMs && lastMs <= objective.ttftMs + (outputTokens - 1) * objective.tpotMs) met++;
  }
  if (held / requests.length < terms.attainment)
    return { able: false, lacks: "memory", neededGiB: mostBytes / 2 ** 30 };
  const metShare = met / requests.length;
  return metShare >= terms.attainment ? { able: true } : { able: false, lacks: "speed", metShare };
}

function preparedOrNone(type: DeviceType, workload: Workload, trials: Trials): Prepared | undefined {
  try {
    return trials.prepare([{ type, count: 1 }], workload);
  } catch (error) {
    if (error instanceof SimulationError) return undefined;
    throw error;
  }
}
