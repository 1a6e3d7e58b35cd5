import { refuse, type Refusal } from "../base/index.ts";
import type { RefusalReason } from "../pool/index.ts";

/** Later than this nobody knows what will be. */
const retryAfterMaxSeconds = 600;
/** When a reservation ends is agreed, and known for longer; but it may be ended before. */
const reservedMaxSeconds = 3_600;

export function overloaded(message: string, retryAfterMs: number): Refusal {
  return refuse("overloaded", message, { retryAfterSeconds: secondsOf(retryAfterMs) });
}

/** A running answer that is preemptible ends where its room is needed. */
export function gaveWay(model: string, retryAfterMs: number): Refusal {
  const message = `This answer of ${model} gave way: somebody who has reserved the device, or work that comes first, needs its room.`;
  return refuse("preempted", message, { retryAfterSeconds: secondsOf(retryAfterMs) });
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

function secondsOf(retryAfterMs: number, maxSeconds = retryAfterMaxSeconds): number {
  return Math.min(maxSeconds, Math.max(1, Math.ceil(retryAfterMs / 1_000)));
}

/** `leftMs`: for how long what is in the way is reserved; undefined: nobody knows. */
function reservedFor(model: string, leftMs: number | undefined): Refusal {
  const message = `What could run ${model} is reserved for somebody else.`;
  return refuse("overloaded", message, { retryAfterSeconds: secondsOf(leftMs ?? 60_000, reservedMaxSeconds) });
}

/** What the pool's reason is called towards whoever asked. `retryAfterMs`: when to come again, where that is known. */
export function refusalOf(reason: RefusalReason, model: string, retryAfterMs?: number): Refusal {
  switch (reason) {
    case "overloaded":
      return overloaded(`${model} cannot answer in time: others come first.`, retryAfterMs ?? 1_000);
    case "load_failed":
      return refuse("engine_unavailable", `${model} could not be loaded.`, { retryAfterSeconds: 30 });
    case "reserved":
      return reservedFor(model, retryAfterMs);
    case "model_too_large":
      return refuse("model_too_large", `${model} with a request this long has no room on this device.`);
    default:
      return refuse("engine_unavailable", `${model} is not served here.`);
  }
}
