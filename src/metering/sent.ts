import { fieldsOf } from "./cloud-event.ts";
import { openEntries } from "./entries.ts";
import { nothingMeant } from "./ignored.ts";
import { type Fields, FieldProblem, readRecord, recordFields } from "./record.ts";

/** A record of a usage file as it is sent to whoever keeps the books, and the error that something is wrong with it. */
export interface SentRecord {
  readonly fields: Fields;
  readonly problem: (what: string) => Error;
}

/**
 * A usage file's records, as they stand there. Each is read first: one that could not be billed, has no id to be known by, or says something
 * that means nothing in a record (under a wrong name a count would be lost, and the id told) rejects with sim's `WorkloadError`, which names
 * file, line and field, before it is handed over.
 */
export async function* sentRecords(path: string): AsyncGenerator<SentRecord, void, void> {
  const { entries, ignored, problem: ofColumns } = await openEntries(path);
  if (ignored.length > 0) {
    throw ofColumns(`names what is not read: ${nothingMeant(ignored)}; columns are ${[...recordFields].join(", ")}`);
  }
  for await (const { fields, problem } of entries) {
    try {
      const { record, ignored: unread } = fieldsOf(fields);
      if (unread.length > 0) throw new FieldProblem(nothingMeant(unread));
      // A day begins where the price book says; here it only has to be one.
      const { id } = readRecord(record, (midnightMs) => midnightMs);
      if (id === undefined) throw new FieldProblem("id is missing: it is what tells a repetition from new usage");
    } catch (error) {
      throw error instanceof FieldProblem ? problem(error.message) : error;
    }
    yield { fields, problem };
  }
}
