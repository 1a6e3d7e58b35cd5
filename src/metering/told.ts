import { isCloudEvent, recordOf } from "./cloud-event.ts";
import { type Fields, FieldProblem, readRecord, type UsageRecord } from "./record.ts";

/** A usage record or a CloudEvent that was sent, and not read from a file; one that cannot be billed as it stands says why. */
export function readTold(
  value: unknown,
  dayMs: (midnightMs: number) => number,
): UsageRecord | { readonly problem: string } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return { problem: "it is no object" };
  try {
    const fields = value as Fields;
    return readRecord(isCloudEvent(fields) ? recordOf(fields) : fields, dayMs);
  } catch (error) {
    if (error instanceof FieldProblem) return { problem: error.message };
    throw error;
  }
}
