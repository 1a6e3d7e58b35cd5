import type { Kysely, Transaction } from "kysely";
import {
  type Clock,
  type Ids,
  isId,
  type ProjectId,
  refuse,
  type Refusal,
  RefusalError,
  refusing,
} from "../base/index.ts";
import { behind, change, type Database, type List, type Page, pageOf } from "../store/index.ts";
import type { Tenancy } from "../tenancy/index.ts";
import { conflictOf } from "./conflict.ts";
import { meteredHours } from "./metering.ts";
import { agreedOf, holdsAt, holdsIn, type Reader, reservationRows } from "./rows.ts";
import type { Serving } from "./shut-out.ts";
import { reservationTold, type ReservationTold } from "./told.ts";
import { warningsOf } from "./warnings.ts";
import { type ReservationInput, type Wanted, wantedOf } from "./wanted.ts";

export interface ReservationsContext {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly tenancy: Pick<Tenancy, "showProject">;
  /** The devices that can be reserved, and where models can be had. */
  readonly serving: () => Serving;
  /** The same devices with, in the place of models, the ids of projects that policy permits there and not everywhere. */
  readonly permitted: () => Promise<Serving>;
  /** Called after every change that was committed, which stands whatever comes of it. */
  readonly onChange: () => Promise<void>;
  /** What `onChange` rejected with. */
  readonly onFailure: (error: unknown) => void;
}

export interface ReservationFilter {
  /** A project's name or id; undefined: of all. */
  readonly project: string | undefined;
  /** Those that hold now. */
  readonly active: boolean;
}

/** What one reservation took of a period. What it costs will stand beside the hours once reservations have prices. */
export interface ReservationUsage {
  readonly reservation: string;
  readonly organisation: string;
  readonly project: string;
  readonly device: string | null;
  readonly share: number | null;
  /** Decimal string. */
  readonly hours: string;
}

/** One that was just made, and what it means for everybody else. */
export interface ReservationMade extends ReservationTold {
  readonly warnings: string[];
}

export type Reservations = ReturnType<typeof createReservations>;

/** Reservations over the store. A project is named as everywhere: by name, id, or organisation/project. */
export function createReservations(context: ReservationsContext) {
  const { db, clock } = context;
  const changed = async <Result>(work: (transaction: Transaction<Database>) => Promise<Result>): Promise<Result> => {
    const result = await change(db, "reservations", work);
    await context.onChange().catch(context.onFailure);
    return result;
  };
  return {
    create: async (input: ReservationInput): Promise<ReservationMade | Refusal> => {
      const project = await context.tenancy.showProject(input.project);
      if ("outcome" in project) return project;
      return refusing(async () => {
        const nowMs = clock.nowMs();
        const serving = context.serving();
        const permitted = await context.permitted();
        const devices = serving.devices.map(({ name }) => name);
        const wanted = wantedOf(input, devices, nowMs);
        const row = {
          id: context.ids.mint("rsv"),
          project: project.id as ProjectId,
          createdAt: new Date(nowMs),
          note: input.note ?? null,
          ...columnsOf(wanted),
        };
        const inserting = changed((transaction) => transaction.insertInto("reservations").values(row).execute());
        await inserting.catch(async (error: unknown) => {
          const conflict = await conflictOf(db, wanted, error);
          throw conflict === undefined ? error : new RefusalError(conflict);
        });
        const made = await found(db, row.id);
        return { ...reservationTold(made, nowMs), warnings: await warningsOf(db, made, { serving, permitted }) };
      });
    },
    list: ({ project, active }: ReservationFilter, page: Page): Promise<List<ReservationTold> | Refusal> =>
      refusing(async () => {
        const nowMs = clock.nowMs();
        const owner = project === undefined ? undefined : await context.tenancy.showProject(project);
        if (owner !== undefined && "outcome" in owner) throw new RefusalError(owner);
        const rows = await reservationRows(db)
          .where("reservations.id", ">", behind("rsv", page))
          .$if(owner !== undefined, (query) => query.where("projects.id", "=", owner!.id as ProjectId))
          .$if(active, (query) => query.where(holdsAt(nowMs)))
          .orderBy("reservations.id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, (row) => reservationTold(row, nowMs));
      }),
    /** Ends a reservation now, or before it begins. Ending one that is over changes nothing. */
    end: (reference: string): Promise<ReservationTold | Refusal> =>
      refusing(() =>
        changed(async (transaction) => {
          const nowMs = clock.nowMs();
          const row = await found(transaction, reference);
          if (reservationTold(row, nowMs).state === "ended") return reservationTold(row, nowMs);
          const endedAt = new Date(nowMs);
          await transaction.updateTable("reservations").set({ endedAt }).where("id", "=", row.id).execute();
          return reservationTold({ ...row, endedAt }, nowMs);
        }),
      ),
    /** The hours of every reservation that held between two UTC days, both included, as far as these are over. */
    usage: (
      days: { readonly from: string; readonly to: string },
      page: Page,
    ): Promise<List<ReservationUsage> | Refusal> =>
      refusing(async () => {
        const [fromMs, toMs] = [Date.parse(days.from), Date.parse(days.to)];
        if (toMs < fromMs) throw new RefusalError(refuse("invalid_request", "`to` is before `from`.", { param: "to" }));
        // Of what is still to come nothing is used: it may yet be ended.
        const period = { fromMs, untilMs: Math.max(fromMs, Math.min(toMs + dayMs, clock.nowMs())) };
        const rows = await reservationRows(db)
          .where("reservations.id", ">", behind("rsv", page))
          .where(holdsIn(period))
          .orderBy("reservations.id")
          .limit(page.limit + 1)
          .execute();
        return pageOf(rows, page, (row) => ({
          reservation: row.id,
          organisation: row.organisationName,
          project: row.projectName,
          device: row.device,
          share: row.share === null ? null : Number(row.share),
          hours: meteredHours(agreedOf(row), period),
        }));
      }),
  };
}

const dayMs = 86_400_000;

function columnsOf({ fromMs, untilMs, ...what }: Wanted) {
  return {
    device: what.device ?? null,
    share: what.share === undefined ? null : String(what.share),
    startsAt: new Date(fromMs),
    untilAt: new Date(untilMs),
  };
}

async function found(db: Reader, reference: string) {
  const row = isId("rsv", reference)
    ? await reservationRows(db).where("reservations.id", "=", reference).executeTakeFirst()
    : undefined;
  if (row !== undefined) return row;
  const message = `There is no reservation "${reference.slice(0, 200)}".`;
  throw new RefusalError(refuse("not_found", message, { param: "reservation" }));
}
