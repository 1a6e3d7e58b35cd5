import { nearest, refuse, type Refusal, RefusalError } from "../base/index.ts";
import type { Period } from "./metering.ts";
import { isoOf } from "./told.ts";
import { roundShare } from "./vacancy.ts";

/** A reservation as it is asked for. */
export interface ReservationInput {
  readonly project: string;
  /** This device, whole; or else a share of the pool. */
  readonly device?: string | undefined;
  /** Above 0, at most 1, with at most 4 decimals. */
  readonly share?: number | undefined;
  /** ISO 8601; undefined: from now on. */
  readonly from?: string | undefined;
  /** ISO 8601, excluded; or else `hours`. */
  readonly until?: string | undefined;
  readonly hours?: number | undefined;
  readonly note?: string | undefined;
}

/** What is asked for, checked as far as it can be without looking at other reservations. */
export interface Wanted extends Period {
  /** This, or a share. */
  readonly device?: string;
  readonly share?: number;
}

const hourMs = 3_600_000;
/** A year and a day: who wants a device for longer reserves it again, at the price of then. */
const longestDays = 366;
const devicesTold = 20;

export function wantedOf(input: ReservationInput, devices: readonly string[], nowMs: number): Wanted {
  return { ...whatOf(input, devices), ...periodOf(input, nowMs) };
}

function whatOf({ device, share }: ReservationInput, devices: readonly string[]) {
  if (device !== undefined && share !== undefined) throw invalid("`share` does not go with a device.", "share");
  if (device !== undefined) {
    if (!devices.includes(device)) throw new RefusalError(unknownDevice(device, devices));
    return { device };
  }
  if (share === undefined) throw invalid("`device` or a share of the pool is required.", "device");
  if (!(share > 0 && share <= 1 && roundShare(share) === share)) {
    throw invalid("`share` is above 0 and at most 1, with at most 4 decimals.", "share");
  }
  // Nothing could be kept for anybody, and its hours would be metered all the same.
  if (devices.length === 0) throw new RefusalError(nothingToShare());
  return { share };
}

function nothingToShare(): Refusal {
  const message =
    "There is no device of which a share could be reserved: no host is here, and upstreams cannot be reserved.";
  return refuse("device_not_found", message, { param: "share" });
}

function unknownDevice(device: string, devices: readonly string[]): Refusal {
  const near = nearest(device, devices);
  const hint = near === undefined ? "" : ` Did you mean "${near}"?`;
  const more = devices.length > devicesTold ? ` and ${devices.length - devicesTold} more` : "";
  const some = `${devices.slice(0, devicesTold).join(", ")}${more}`;
  const known = devices.length === 0 ? "There is none that can be reserved" : `Known: ${some}`;
  return refuse("device_not_found", `There is no device "${device.slice(0, 200)}".${hint} ${known}.`, {
    param: "device",
  });
}

function periodOf({ from, until, hours }: ReservationInput, nowMs: number): Period {
  if ((until === undefined) === (hours === undefined)) {
    throw invalid("One of `until` and `hours` is required, and not both.", "until");
  }
  const fromMs = from === undefined ? nowMs : Date.parse(from);
  const untilMs = until === undefined ? fromMs + Math.round(hours! * hourMs) : Date.parse(until);
  if (fromMs < nowMs) {
    throw invalidPeriod(`\`from\`: ${isoOf(fromMs)} lies in the past: it is ${isoOf(nowMs)} now.`, "from");
  }
  const param = until === undefined ? "hours" : "until";
  if (!(untilMs > fromMs)) {
    const words =
      until === undefined
        ? `${hours} is less than a millisecond.`
        : `${isoOf(untilMs)} is not after ${isoOf(fromMs)}, when it begins.`;
    throw invalidPeriod(`\`${param}\`: ${words}`, param);
  }
  if (untilMs - fromMs > longestDays * 24 * hourMs) {
    const days = ((untilMs - fromMs) / (24 * hourMs)).toFixed(1);
    throw invalidPeriod(`\`${param}\`: ${days} days are more than the ${longestDays} that it may last.`, param);
  }
  return { fromMs, untilMs };
}

function invalid(message: string, param: string): RefusalError {
  return new RefusalError(refuse("invalid_request", message, { param }));
}

function invalidPeriod(message: string, param: string): RefusalError {
  return new RefusalError(refuse("invalid_period", message, { param }));
}
