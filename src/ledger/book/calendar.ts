/** How long a period is; each begins at midnight of the calendar's time zone. */
export type PeriodLength = "month" | "quarter" | "year";

export interface Period {
  /** "2026-02", "2026-Q1", "2026". */
  readonly name: string;
  readonly startMs: number;
  /** The first millisecond behind it. */
  readonly endMs: number;
}

const minuteMs = 60_000;
/** Zones change at quarters of an hour (since 1972, all of them): within one the offset stays. */
const slotMs = 15 * minuteMs;
/** Three years of slots. */
const slotsKept = 105_120;

export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    // A RangeError is how Intl says that it knows no such zone.
    return false;
  }
}

function isIn({ startMs, endMs }: Period, atMs: number): boolean {
  return atMs >= startMs && atMs < endMs;
}

/** Instants as the clocks of one time zone (IANA) show them. */
export class Calendar {
  readonly timeZone: string;
  readonly length: PeriodLength;
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();
  #last: Period = { name: "", startMs: 0, endMs: 0 };
  #lastMonth: Period = { name: "", startMs: 0, endMs: 0 };

  constructor(timeZone: string, length: PeriodLength) {
    this.timeZone = timeZone;
    this.length = length;
    this.#format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  }

  /** What the clock shows, as milliseconds since 1970 of a clock that shows UTC. */
  localMs(atMs: number): number {
    return atMs + this.#offsetMs(atMs);
  }

  /** When the clock shows this for the first time; where it never does, the moment at which it leaps over it. */
  instantMs(localMs: number): number {
    const before = this.#offsetMs(localMs - 86_400_000);
    const behind = this.#offsetMs(localMs + 86_400_000);
    const found = [before, behind]
      .map((offset) => localMs - offset)
      .filter((atMs) => this.localMs(atMs) === localMs)
      .toSorted((a, b) => a - b)[0];
    return found ?? localMs - before;
  }

  /** The period that a moment lies in. */
  periodAt(atMs: number): Period {
    // Usage comes in the order of time, nearly: the period before is nearly always the one.
    if (!isIn(this.#last, atMs)) this.#last = this.#around(atMs, this.length);
    return this.#last;
  }

  /** The month that a moment lies in, however long periods are. */
  monthAt(atMs: number): Period {
    if (!isIn(this.#lastMonth, atMs)) this.#lastMonth = this.#around(atMs, "month");
    return this.#lastMonth;
  }

  /** The period of that name; undefined where there is none of this length. */
  periodOf(name: string): Period | undefined {
    const [, year = "", quarter, month] = /^(\d{4})(?:-Q([1-4])|-(0[1-9]|1[0-2]))?$/.exec(name) ?? [];
    if (year === "") return undefined;
    const period = this.#period(
      Number(year),
      quarter === undefined ? Number(month ?? 1) - 1 : (Number(quarter) - 1) * 3,
      this.length,
    );
    return period.name === name ? period : undefined;
  }

  /** Share of a period between two moments of it, by the clock: the days around a change to summer time are as long as others. */
  shareOf({ startMs, endMs }: Period, fromMs: number, toMs: number): readonly [part: bigint, whole: bigint] {
    const [start, end] = [this.localMs(startMs), this.localMs(endMs)];
    const from = fromMs <= startMs ? start : this.localMs(fromMs);
    const to = toMs >= endMs ? end : this.localMs(toMs);
    return [BigInt(Math.max(0, to - from)), BigInt(end - start)];
  }

  #around(atMs: number, length: PeriodLength): Period {
    const local = new Date(this.localMs(atMs));
    return this.#period(local.getUTCFullYear(), local.getUTCMonth(), length);
  }

  #period(year: number, month: number, length: PeriodLength): Period {
    const months = { month: 1, quarter: 3, year: 12 }[length];
    const first = month - (month % months);
    const name = {
      month: `${year}-${String(first + 1).padStart(2, "0")}`,
      quarter: `${year}-Q${first / 3 + 1}`,
      year: String(year),
    }[length];
    const startMs = this.instantMs(Date.UTC(year, first));
    return { name, startMs, endMs: this.instantMs(Date.UTC(year, first + months)) };
  }

  #offsetMs(atMs: number): number {
    const slot = Math.floor(atMs / slotMs);
    let offset = this.#offsets.get(slot);
    if (offset === undefined) {
      if (this.#offsets.size >= slotsKept) this.#offsets.clear();
      this.#offsets.set(slot, (offset = this.#readOffsetMs(slot * slotMs)));
    }
    return offset;
  }

  #readOffsetMs(atMs: number): number {
    const text = this.#format.formatToParts(atMs).find(({ type }) => type === "timeZoneName")!.value;
    const [, sign, hours = "0", minutes = "0", seconds = "0"] = /([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
    const offset = (Number(hours) * 60 + Number(minutes)) * minuteMs + Number(seconds) * 1_000;
    return sign === "-" ? -offset : offset;
  }
}
