import type { Clock } from "../base/index.ts";
import { messageOf } from "./words.ts";
import type { Destination } from "../engine/index.ts";
import { type AcceleratorHour, addAcceleratorTime, type Store } from "../store/index.ts";
import type { Stops } from "./database.ts";
import type { BootOptions } from "./options.ts";

/** How often what hosts have told is added to the books: as much is lost of the time before a kill. */
export const sampleMs = 60_000;

/** A day of eleven hosts. */
const waitingMost = 16_384;

/** What one process of a host had told when it was last looked at. */
interface Seen {
  readonly incarnation: number;
  readonly toldAtMs: number;
  readonly busyMs: number;
}

/**
 * How long accelerators are up and have work, from what hosts tell of themselves. A host that is new, or back, counts from
 * the first look on: what its process did before may have been counted already.
 */
export class AcceleratorTime {
  readonly #clock: Clock;
  readonly #destinations: () => readonly Destination[];
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock, destinations: () => readonly Destination[]) {
    this.#clock = clock;
    this.#destinations = destinations;
  }

  /** What has passed since the last look. */
  look(): readonly AcceleratorHour[] {
    const hours: AcceleratorHour[] = [];
    const atMs = this.#clock.nowMs();
    for (const { name, kind, pool, incarnation } of this.#destinations()) {
      if (kind !== "host" || pool === undefined) continue;
      const before = this.#seen.get(name);
      const { toldAtMs, pool: told } = pool;
      this.#seen.set(name, { incarnation, toldAtMs, busyMs: told.totals.busyMs });
      if (before === undefined || before.incarnation !== incarnation || toldAtMs <= before.toldAtMs) continue;
      const upMs = Math.round(toldAtMs - before.toldAtMs);
      // Busy by the host's own clock, up by ours: a host that says more than was possible was busy all the time.
      const busyMs = Math.min(upMs, Math.max(0, Math.round(told.totals.busyMs - before.busyMs)));
      hours.push({ atMs, host: name, device: told.device.name, upMs, busyMs });
    }
    return hours;
  }
}

/** Looks every minute, and once more at the end. Where PostgreSQL is away, what was seen waits for it. */
export function recordAcceleratorTime(
  { clock, log }: Pick<BootOptions, "clock" | "log">,
  store: Store,
  destinations: () => readonly Destination[],
  stops: Stops,
): void {
  const time = new AcceleratorTime(clock, destinations);
  let waiting: AcceleratorHour[] = [];
  let writing: Promise<void> | undefined;
  const record = (): Promise<void> => {
    waiting = [...waiting, ...time.look()].slice(-waitingMost);
    const hours = waiting;
    writing ??= addAcceleratorTime(store.db, hours)
      .then(
        () => void (waiting = waiting.slice(hours.length)),
        (error: unknown) => log.warn({ reason: messageOf(error) }, "accelerators' time waits for the database"),
      )
      .finally(() => (writing = undefined));
    return writing;
  };
  stops.push(
    clock.every(sampleMs, () => void record()),
    () => record(),
  );
}
