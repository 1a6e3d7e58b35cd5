import { type Kysely, type RawBuilder, sql, type SqlBool, type Transaction } from "kysely";
import type { Database } from "../store/index.ts";
import type { Agreed, Period } from "./metering.ts";

export type Reader = Kysely<Database> | Transaction<Database>;

/** Reservations with the names of whose they are. */
export function reservationRows(db: Reader) {
  return db
    .selectFrom("reservations")
    .innerJoin("projects", "projects.id", "reservations.project")
    .innerJoin("organisations", "organisations.id", "projects.organisation")
    .select(["reservations.id", "device", "share", "startsAt", "untilAt", "endedAt", "note"])
    .select("reservations.createdAt as createdAt")
    .select(["projects.id as project", "projects.name as projectName"])
    .select(["organisations.id as organisation", "organisations.name as organisationName"]);
}

export type ReservationRow = Awaited<ReturnType<ReturnType<typeof reservationRows>["execute"]>>[number];

/** Those that hold at some moment of a period. */
export function holdsIn({ fromMs, untilMs }: Period): RawBuilder<SqlBool> {
  return sql<SqlBool>`reservations.period && tstzrange(${new Date(fromMs)}, ${new Date(untilMs)})`;
}

/** Those that hold at some moment from then on. */
export function holdsBehind(atMs: number): RawBuilder<SqlBool> {
  return sql<SqlBool>`reservations.period && tstzrange(${new Date(atMs)}, NULL)`;
}

export function holdsAt(atMs: number): RawBuilder<SqlBool> {
  return sql<SqlBool>`reservations.period @> ${new Date(atMs)}::timestamptz`;
}

export function agreedOf({ startsAt, untilAt, endedAt }: Pick<ReservationRow, "startsAt" | "untilAt" | "endedAt">) {
  const agreed: Agreed = { fromMs: startsAt.getTime(), untilMs: untilAt.getTime(), endedAtMs: endedAt?.getTime() };
  return agreed;
}
