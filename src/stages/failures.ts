import { HostSilent } from "../destinations/index.ts";
import { type Ending, errorCodes, refuse, type Refusal, RefusalError } from "../base/index.ts";

// What the ways in which an answer can end, or fail to, mean to its client and to the books.

/** The ending that an engine named: `finish_reason`, `status` or `stop_reason`. */
export function endingOf(said: string | undefined): Ending {
  switch (said) {
    case "length":
    case "max_tokens":
    case "incomplete":
      return "length";
    case "tool_calls":
    case "function_call":
    case "tool_use":
      return "tool";
    case "failed":
      return "error";
    default:
      return "stop";
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code;

const neverArrivedCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  // More connections at once than its socket takes.
  "EAGAIN",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
  // To another machine, for whatever reason.
  "NOT_CONNECTED",
]);

/** Whether the request certainly never reached the destination, so that nothing can have been computed. */
export function neverArrived(error: unknown): boolean {
  return neverArrivedCodes.has(String(codeOf(error)));
}

/** Whether the other side has gone away, and nothing else. */
export function connectionBroke(error: unknown): boolean {
  return brokenCodes.has(String(codeOf(error)));
}

/** Whether the other side may be away for as long as it likes. */
export function isSilent(error: unknown): boolean {
  return error instanceof HostSilent;
}

const brokenCodes: ReadonlySet<string> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECONNREFUSED",
  "ENOENT",
  "UND_ERR_SOCKET",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "NOT_CONNECTED",
]);

/** A host that takes nothing new at the moment: it stops, it loads, or it has not heard from this gateway. */
export function takesNothing(status: number, words: Buffer): boolean {
  return status === 503 && ["draining", "engine_unavailable"].includes(String(errorIn(words)?.code));
}

/** A running answer of a host's that made room for others: it had begun, unlike whatever else gets this status. */
export function gaveWay(status: number, words: Buffer): boolean {
  return status === errorCodes.preempted.status && errorIn(words)?.code === "preempted";
}

/** A host that cannot write down what requests use takes none: not this one, and not the next. */
export function declinedForAll(status: number, words: Buffer): Refusal | undefined {
  if (status !== errorCodes.journal_full.status) return undefined;
  const error = errorIn(words);
  if (error?.code !== "journal_full") return undefined;
  return refuse("journal_full", String(error.message), { retryAfterSeconds: 1 });
}

function errorIn(words: Buffer): { readonly code?: unknown; readonly message?: unknown } | undefined {
  const value: { error?: { code?: unknown; message?: unknown } } | undefined = parsed(words);
  return value?.error;
}

/** What a destination's refusal is called towards the client; undefined: its own words are the client's to read. */
export function ownRefusalOf(status: number, words: Buffer): Refusal | undefined {
  if (status === 401 || status === 403 || status === 407) {
    return refuse("upstream_refused", `The upstream answered ${status} to the operator's own key.`);
  }
  if (status < 400 || status > 599) return refuse("upstream_invalid", `The upstream answered ${status}.`);
  if (parsed(words) !== undefined) return undefined;
  return refuse(
    status < 500 ? "upstream_invalid" : "engine_failed",
    `The upstream answered ${status}, without an error of the API's shape.`,
  );
}

function parsed(words: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(words.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    // A page, a line of text: nothing that a client of the API reads.
    return undefined;
  }
}

/** What a broken exchange is called towards the client. */
export function refusalOf(error: unknown): Refusal {
  // Cut off from this side, for a reason that has a code.
  if (error instanceof RefusalError) return error.refusal;
  if (neverArrived(error)) {
    return refuse("engine_unavailable", "The engine cannot be reached.", { retryAfterSeconds: 2 });
  }
  switch (codeOf(error)) {
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return refuse("engine_timeout", "The engine did not answer in time.");
    default:
      return error instanceof Error && error.name === "EventStreamError"
        ? refuse("upstream_invalid", `The upstream's stream is not valid: ${error.message}.`)
        : refuse("engine_failed", "The engine ended during this request.");
  }
}
