import { type Ending, refuse, type Refusal } from "../base/index.ts";

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

/** Whether the request certainly never reached the destination, so that nothing can have been computed. */
export function neverArrived(error: unknown): boolean {
  return ["ECONNREFUSED", "ENOENT", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(
    String(codeOf(error)),
  );
}

/** What a broken exchange is called towards the client. */
export function refusalOf(error: unknown): Refusal {
  switch (codeOf(error)) {
    case "UND_ERR_HEADERS_TIMEOUT":
    case "UND_ERR_BODY_TIMEOUT":
      return refuse("engine_timeout", "The engine did not answer in time.");
    case "ECONNREFUSED":
    case "ENOENT":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "UND_ERR_CONNECT_TIMEOUT":
      return refuse("engine_unavailable", "The engine cannot be reached.", { retryAfterSeconds: 2 });
    default:
      return error instanceof Error && error.name === "EventStreamError"
        ? refuse("upstream_invalid", `The upstream's stream is not valid: ${error.message}.`)
        : refuse("engine_failed", "The engine ended during this request.");
  }
}
