import type { UsageEvent } from "../ledger/index.ts";
import { bodyOf } from "./body.ts";
import { fieldsOf } from "./cloud-event.ts";
import { type Entry, openEntries } from "./entries.ts";
import { IgnoredNames } from "./ignored.ts";
import { Once } from "./once.ts";
import { FieldProblem, readRecord, type UsageRecord } from "./record.ts";

/** A file of usage, read once. What it counts is complete when it has been read to its end. */
export class UsageFile {
  records = 0;
  /** Records that were told before, with the same body: they count once. */
  duplicates = 0;
  readonly ignored = new IgnoredNames();
  readonly #path: string;
  readonly #dayMs: (midnightMs: number) => number;
  readonly #isNamed: (customer: string) => boolean;
  readonly #once = new Once();

  /**
   * `dayMs`: when a day begins that is said without a clock time, given as its midnight in UTC. `isNamed`: whom the price book
   * names, by the name or by the id of an organisation that a record has both of.
   */
  constructor(
    path: string,
    dayMs: (midnightMs: number) => number,
    isNamed: (customer: string) => boolean = () => false,
  ) {
    this.#path = path;
    this.#dayMs = dayMs;
    this.#isNamed = isNamed;
  }

  /**
   * Hands each record's events over, in the file's order. Rejects with sim's `WorkloadError`, which names file, line and field,
   * where something cannot be billed as it stands; `take` may throw a `RangeError`, which is told with the line too.
   */
  async read(take: (event: UsageEvent) => void): Promise<void> {
    const { entries, ignored } = await openEntries(this.#path);
    for (const column of ignored) this.ignored.add(column);
    for await (const entry of entries) {
      this.records++;
      try {
        const read = fieldsOf(entry.fields);
        for (const name of read.ignored) this.ignored.add(name);
        const record = this.#named(readRecord(read.record, this.#dayMs));
        if (this.#isNew(record)) for (const event of record.events) take(event);
      } catch (error) {
        throw placed(error, entry);
      }
    }
  }

  #named(record: UsageRecord): UsageRecord {
    const { organisation, events } = record;
    if (organisation === undefined || !this.#isNamed(organisation)) return record;
    return { ...record, customer: organisation, events: events.map((event) => ({ ...event, customer: organisation })) };
  }

  #isNew({ source, id, customer, events }: UsageRecord): boolean {
    if (id === undefined) return true;
    // Each customer's own, as in the books: two of them may have an id in common.
    const seen = this.#once.tell(`${customer.length}:${customer}${source}`, id, bodyOf(events));
    if (seen === "differs") throw new FieldProblem(`id ${JSON.stringify(id)} was said before, with another body`);
    if (seen === "again") this.duplicates++;
    return seen === "first";
  }
}

function placed(error: unknown, { problem }: Entry): unknown {
  return error instanceof FieldProblem || error instanceof RangeError ? problem(error.message) : error;
}
