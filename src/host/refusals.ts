import { refuse, type Refusal } from "../base/index.ts";
import type { RefusalReason } from "../pool/index.ts";

/** Later than this nobody knows what will be. */
const retryAfterMaxSeconds = 600;

export function overloaded(message: string, retryAfterMs: number): Refusal {
  return refuse("overloaded", message, { retryAfterSeconds: secondsOf(retryAfterMs) });
}

/** A model at whose loading the engine has ended is left alone for a while. */
export function resting(model: string, restMs: number): Refusal {
  const message = `${model} is not loaded for now: the engine ended when it was loaded last.`;
  return refuse("engine_unavailable", message, { retryAfterSeconds: secondsOf(restMs) });
}

export function changedSince(model: string): Refusal {
  const message = `${model} is not loaded: its file is not the one that was verified.`;
  return refuse("engine_unavailable", message, { retryAfterSeconds: 30 });
}

function secondsOf(retryAfterMs: number): number {
  return Math.min(retryAfterMaxSeconds, Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

/** What the pool's reason is called towards whoever asked. */
export function refusalOf(reason: RefusalReason, model: string, retryAfterMs = 1_000): Refusal {
  switch (reason) {
    case "overloaded":
      return overloaded(`${model} cannot answer in time: others come first.`, retryAfterMs);
    case "load_failed":
      return refuse("engine_unavailable", `${model} could not be loaded.`, { retryAfterSeconds: 30 });
    case "reserved":
      return overloaded(`What could run ${model} is reserved for somebody else.`, 60_000);
    case "model_too_large":
      return refuse("model_too_large", `${model} with a request this long has no room on this device.`);
    default:
      return refuse("engine_unavailable", `${model} is not served here.`);
  }
}
