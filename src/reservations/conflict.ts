import { refuse, type Refusal } from "../base/index.ts";
import { heldPeriod, type Period } from "./metering.ts";
import { agreedOf, holdsBehind, holdsIn, type Reader, reservationRows, type ReservationRow } from "./rows.ts";
import { isoOf, nameOf } from "./told.ts";
import { freeFrom, peakOf, roundShare } from "./vacancy.ts";
import type { Wanted } from "./wanted.ts";

/**
 * So much of the pool can be reserved in shares at most. The rest stays for tenants who reserve nothing: without it they
 * would be starved by those who do, and a share's own guarantee needs a pool that is not full to the brim. The schema
 * holds to it (2026-11-26-reservations), which a test compares with this.
 */
export const sharesMax = 0.9;

/** Rows that are looked at to explain one conflict. */
const rowsCompared = 1_000;
const reasonsTold = 20;

/**
 * What the database's constraint turned a reservation away for, in words; undefined for any other error. The constraint
 * decides: what was in the way may have been ended since, and then there is nobody to be named.
 */
export async function conflictOf(db: Reader, wanted: Wanted, error: unknown): Promise<Refusal | undefined> {
  const { constraint } = error as { constraint?: unknown };
  if (constraint === "reservations_of_one_device_apart") return deviceTaken(db, wanted.device!, wanted);
  if (constraint === "reservations_leave_a_share") return shareTaken(db, wanted.share!, wanted);
  return undefined;
}

async function deviceTaken(db: Reader, device: string, wanted: Period): Promise<Refusal> {
  const rows = await reservationRows(db)
    .where("device", "=", device)
    .where(holdsBehind(wanted.fromMs))
    .orderBy("startsAt")
    .limit(rowsCompared)
    .execute();
  const [first] = rows;
  if (first === undefined) return refuse("reservation_conflict", `${device} was just reserved.`, { param: "device" });
  const freeMs = freeFrom(
    rows.map((row) => heldPeriod(agreedOf(row))),
    wanted.fromMs,
    wanted.untilMs - wanted.fromMs,
  );
  // Where there are more than were read, what lies behind them is not known.
  const free = rows.length < rowsCompared ? ` It is free for as long as is asked from ${isoOf(freeMs)} on.` : "";
  const message = `${device} is reserved from ${first.startsAt.toISOString()} ${holderText(first)}.${free}`;
  return refuse("reservation_conflict", message, { param: "device" });
}

async function shareTaken(db: Reader, share: number, wanted: Period): Promise<Refusal> {
  const rows = await reservationRows(db)
    .where("share", "is not", null)
    .where(holdsIn(wanted))
    .orderBy("startsAt")
    .limit(rowsCompared)
    .execute();
  const peak = peakOf(
    rows.map((row) => ({ ...heldPeriod(agreedOf(row)), share: Number(row.share), row })),
    wanted,
  );
  const message =
    `${share} of the pool is more than is free: at ${isoOf(peak.atMs)} ${peak.share} is reserved, and at most ` +
    `${sharesMax} may be. ${Math.max(0, roundShare(sharesMax - peak.share))} could be had for that time.`;
  const reasons = peak.holders.slice(0, reasonsTold).map(({ row }) => `${Number(row.share)} ${holderText(row)}`);
  return refuse("capacity_reserved", message, { param: "share", ...(reasons.length === 0 ? {} : { reasons }) });
}

function holderText(row: ReservationRow): string {
  const until = isoOf(heldPeriod(agreedOf(row)).untilMs);
  return `until ${until} for ${nameOf(row)} (${row.id})`;
}
