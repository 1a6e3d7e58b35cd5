import { isCloudEvent, recordOf } from "./cloud-event.ts";
import { openEntries } from "./entries.ts";
import { type Fields, FieldProblem, readRecord } from "./record.ts";

/** A record of a usage file as it is sent to whoever keeps the books, and the error that something is wrong with it. */
export interface SentRecord {
  readonly fields: Fields;
  readonly problem: (what: string) => Error;
}

/**
 * A usage file's records, as they stand there. Each is read first: one that could not be billed, or has no id to be known by, rejects with sim's
 * `WorkloadError`, which names file, line and field, before it is handed over.
 */
export async function* sentRecords(path: string): AsyncGenerator<SentRecord, void, void> {
  const { entries } = await openEntries(path);
  for await (const { fields, problem } of entries) {
    try {
      // A day begins where the price book says; here it only has to be one.
      const { id } = readRecord(isCloudEvent(fields) ? recordOf(fields) : fields, (midnightMs) => midnightMs);
      if (id === undefined) throw new FieldProblem("id is missing: it is what tells a repetition from new usage");
    } catch (error) {
      throw error instanceof FieldProblem ? problem(error.message) : error;
    }
    yield { fields, problem };
  }
}
