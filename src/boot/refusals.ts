import { refuse, type Refusal, RefusalError } from "../base/index.ts";
import { isDatabaseAway, isDatabaseBusy } from "../store/index.ts";

/** What a client is told of an error that ended its request. */
export function refusalFor(error: unknown, request: string): Refusal {
  if (error instanceof RefusalError) return error.refusal;
  if (isDatabaseBusy(error)) {
    return refuse("database_busy", "All connections to the database are in use.", { retryAfterSeconds: 2 });
  }
  if (isDatabaseAway(error)) {
    return refuse("database_unavailable", "The database cannot be reached.", { retryAfterSeconds: 2 });
  }
  return refuse("internal_error", `Something failed here; the request is ${request}.`);
}
