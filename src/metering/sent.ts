import { fieldsOf } from "./cloud-event.ts";
import { openEntries } from "./entries.ts";
import type { IgnoredNames } from "./ignored.ts";
import { type Fields, FieldProblem, readRecord } from "./record.ts";

/** A record of a usage file as it is sent to whoever keeps the books, and the error that something is wrong with it. */
export interface SentRecord {
  readonly fields: Fields;
  readonly problem: (what: string) => Error;
}

/**
 * A usage file's records, as they stand there but for what means nothing in one, which is noted. Each is read first: one that could not be billed, or has no id to be known by, rejects with sim's
 * `WorkloadError`, which names file, line and field, before it is handed over.
 */
export async function* sentRecords(path: string, noted: IgnoredNames): AsyncGenerator<SentRecord, void, void> {
  const { entries, ignored } = await openEntries(path);
  for (const column of ignored) noted.add(column);
  for await (const { fields, problem } of entries) {
    let unread: readonly string[];
    try {
      const read = fieldsOf(fields);
      unread = read.ignored;
      // A day begins where the price book says; here it only has to be one.
      const { id } = readRecord(read.record, (midnightMs) => midnightMs);
      if (id === undefined) throw new FieldProblem("id is missing: it is what tells a repetition from new usage");
    } catch (error) {
      throw error instanceof FieldProblem ? problem(error.message) : error;
    }
    for (const name of unread) noted.add(name);
    yield { fields: unread.length === 0 ? fields : without(fields, unread), problem };
  }
}

/** A record, or a CloudEvent's data, without some members. */
function without(fields: Fields, names: readonly string[]): Fields {
  if ("specversion" in fields) return { ...fields, data: without(fields["data"] as Fields, names) };
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}
