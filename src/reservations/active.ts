import type { Kysely } from "kysely";
import type { Cancel, Clock, ProjectId, ReservationId } from "../base/index.ts";
import { type Database, Following, readEpochs } from "../store/index.ts";
import { heldPeriod, type Period } from "./metering.ts";
import { agreedOf, holdsIn, reservationRows } from "./rows.ts";

/** A reservation as the pool takes it (`Reservation` there), with its times. */
export interface ActiveReservation extends Period {
  readonly id: ReservationId;
  /** The pool shares fairly between projects. */
  readonly tenant: ProjectId;
  /** Its name, `organisation/project`, when that was read: for people. */
  readonly project: string;
  /** This device, whole; or else `share`, above 0 and at most 1. */
  readonly device?: string;
  readonly share?: number;
}

export interface ActiveReservationsOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /**
   * Called with all that are active, in the order of their making, each time that they are others than before, and only
   * then; also for those that are active at the start.
   */
  readonly onChange: (active: readonly ActiveReservation[]) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface ActiveReservations {
  readonly active: readonly ActiveReservation[];
  /** Reads anew what has changed, after a change of our own. Rejects where the database is away. */
  refresh(): Promise<void>;
  /** Resolves once the question that may be under way is over. */
  close(): Promise<void>;
}

/** Half of the second within which a change is heard of everywhere. */
const pollEveryMs = 500;
/** What begins within a day is known before, also where the database is away then. */
const soonMs = 86_400_000;
/** A timer that would wait longer than 2^31 ms fires at once: it is set again on the way. */
const longestWaitMs = 86_400_000;

/** Reads what is active or begins soon, then keeps up with changes and with time. Rejects where the first reading fails. */
export async function createActiveReservations(options: ActiveReservationsOptions): Promise<ActiveReservations> {
  const follower = new Follower(options);
  await follower.start();
  return follower;
}

class Follower implements ActiveReservations {
  readonly #options: ActiveReservationsOptions;
  #known: readonly ActiveReservation[] = [];
  #active: readonly ActiveReservation[] = [];
  #epoch = -1;
  #readAtMs = -Infinity;
  readonly #following: Following;
  #closed = false;
  #cancelTimer: Cancel = () => undefined;

  constructor(options: ActiveReservationsOptions) {
    this.#options = options;
    const { clock, onFailure } = options;
    this.#following = new Following({ clock, everyMs: pollEveryMs, read: () => this.#read(), onFailure });
  }

  get active(): readonly ActiveReservation[] {
    return this.#active;
  }

  start(): Promise<void> {
    return this.#following.start();
  }

  refresh(): Promise<void> {
    return this.#following.refresh();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#following.stop();
    this.#cancelTimer();
    await this.#following.settled();
  }

  async #read(): Promise<void> {
    const { db, clock } = this.#options;
    const { reservations } = await readEpochs(db);
    const nowMs = clock.nowMs();
    if (reservations !== this.#epoch || nowMs >= this.#readAtMs + soonMs / 2) {
      const { epoch, known } = await readSoon(db, { fromMs: nowMs, untilMs: nowMs + soonMs });
      this.#known = known;
      this.#epoch = epoch;
      this.#readAtMs = nowMs;
    }
    this.#tell();
  }

  /** Tells what is active now, where that is something else than before, and comes back when time changes it. */
  #tell(): void {
    if (this.#closed) return;
    const nowMs = this.#options.clock.nowMs();
    const active = this.#known.filter(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
    const isSame =
      active.length === this.#active.length && active.every(({ id }, index) => id === this.#active[index]!.id);
    this.#active = active;
    this.#cancelTimer();
    const nextMs = Math.min(
      ...this.#known.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]).filter((at) => at > nowMs),
    );
    if (Number.isFinite(nextMs)) {
      this.#cancelTimer = this.#options.clock.after(Math.min(nextMs - nowMs, longestWaitMs), () => this.#tell());
    }
    if (!isSame) this.#options.onChange(active);
  }
}

/** What holds at some moment of a period, with the epoch of that, in one snapshot. */
async function readSoon(db: Kysely<Database>, period: Period) {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute(async (transaction) => {
      const { reservations: epoch } = await readEpochs(transaction);
      const rows = await reservationRows(transaction).where(holdsIn(period)).orderBy("reservations.id").execute();
      const known = rows.map((row): ActiveReservation => ({
        id: row.id,
        tenant: row.project,
        project: `${row.organisationName}/${row.projectName}`,
        ...(row.device === null ? {} : { device: row.device }),
        ...(row.share === null ? {} : { share: Number(row.share) }),
        ...heldPeriod(agreedOf(row)),
      }));
      return { epoch, known };
    });
}
