import { fieldsOf } from "./cloud-event.ts";
import { nothingMeant } from "./ignored.ts";
import { type Fields, FieldProblem, readRecord, type UsageRecord } from "./record.ts";

/**
 * A usage record or a CloudEvent that was sent, and not read from a file; one that cannot be billed as it stands says why. So does one with a
 * member that means nothing: under a wrong name a count would be lost. A CloudEvent's own attributes may be any.
 */
export function readTold(
  value: unknown,
  dayMs: (midnightMs: number) => number,
): UsageRecord | { readonly problem: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "it is no object" };
  try {
    const { record, ignored } = fieldsOf(value as Fields);
    if (ignored.length > 0) return { problem: nothingMeant(ignored) };
    return readRecord(record, dayMs);
  } catch (error) {
    if (error instanceof FieldProblem) return { problem: error.message };
    throw error;
  }
}
