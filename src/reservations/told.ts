import { heldPeriod } from "./metering.ts";
import { agreedOf, type ReservationRow } from "./rows.ts";

interface Named {
  readonly id: string;
  readonly name: string;
}

export type ReservationState = "upcoming" | "active" | "ended";

/** A reservation as it is told: of `device` and `share` one is null. */
export interface ReservationTold {
  readonly id: string;
  readonly project: Named;
  readonly organisation: Named;
  readonly device: string | null;
  readonly share: number | null;
  readonly from: string;
  /** As it was agreed; excluded. */
  readonly until: string;
  /** When it was ended before its time. */
  readonly endedAt: string | null;
  readonly state: ReservationState;
  readonly note: string | null;
  readonly createdAt: string;
}

export function reservationTold(row: ReservationRow, nowMs: number): ReservationTold {
  return {
    id: row.id,
    project: { id: row.project, name: row.projectName },
    organisation: { id: row.organisation, name: row.organisationName },
    device: row.device,
    share: row.share === null ? null : Number(row.share),
    from: row.startsAt.toISOString(),
    until: row.untilAt.toISOString(),
    endedAt: row.endedAt?.toISOString() ?? null,
    state: stateOf(row, nowMs),
    note: row.note,
    createdAt: row.createdAt.toISOString(),
  };
}

/** Whose it is. */
export function nameOf(row: Pick<ReservationRow, "organisationName" | "projectName">): string {
  return `${row.organisationName}/${row.projectName}`;
}

export function isoOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function stateOf(row: ReservationRow, nowMs: number): ReservationState {
  const held = heldPeriod(agreedOf(row));
  if (held.untilMs <= nowMs || held.untilMs === held.fromMs) return "ended";
  return held.fromMs > nowMs ? "upcoming" : "active";
}
