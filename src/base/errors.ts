/**
 * Every error that Bailiwick answers with: its code, the HTTP status, OpenAI's error type, whether trying again can
 * help, and what to do next. docs/reference/errors.md is held against this table by a test.
 */
export const errorCodes = {
  // The request itself
  malformed_json: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Send a body that is valid JSON (UTF-8).",
  },
  invalid_request: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Correct the field or option that is named.",
  },
  unsupported_parameter: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Leave the named parameter out, or set `unsupported: warn` for the project.",
  },
  unsupported_schema: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Use a schema without the named keyword, or a smaller one.",
  },
  context_length_exceeded: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Shorten the prompt or choose a model with a longer context.",
  },
  unsupported_media_type: {
    status: 415,
    type: "invalid_request_error",
    retry: false,
    next: "Send `content-type: application/json`, uncompressed.",
  },
  body_too_large: {
    status: 413,
    type: "invalid_request_error",
    retry: false,
    next: "Send a smaller body; the limit is `limits.bodyBytes`.",
  },
  request_timeout: {
    status: 408,
    type: "invalid_request_error",
    retry: true,
    next: "Send the whole request faster; the limit is `limits.bodyTimeoutMs`.",
  },
  not_found: { status: 404, type: "invalid_request_error", retry: false, next: "Check the name, the id or the path." },
  method_not_allowed: {
    status: 405,
    type: "invalid_request_error",
    retry: false,
    next: "Use the method that the `allow` header names.",
  },
  model_not_found: {
    status: 404,
    type: "invalid_request_error",
    retry: false,
    next: "Use a model that `GET /v1/models` lists; `npx bailiwick model list` shows the catalogue's.",
  },
  model_out_of_service: {
    status: 503,
    type: "server_error",
    retry: false,
    next: "Use another model. The operator sees by `npx bailiwick model show` what is wrong, mends it, and restarts.",
  },
  endpoint_not_supported: {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    next: "Use an endpoint that this model's engine has, or another model.",
  },
  receipt_not_found: {
    status: 404,
    type: "invalid_request_error",
    retry: false,
    next: "Ask with a key of the project that made the request.",
  },
  proof_pending: {
    status: 404,
    type: "invalid_request_error",
    retry: true,
    next: "The receipt will be in the log within a second or so; wait as long as the `retry-after` header says.",
  },
  proof_absent: {
    status: 404,
    type: "invalid_request_error",
    retry: false,
    next: "The receipt verifies by its signature alone; no log can show when it was there.",
  },
  // Who asks, and how much
  missing_key: { status: 401, type: "authentication_error", retry: false, next: "Send `authorization: Bearer <key>`." },
  invalid_key: {
    status: 401,
    type: "authentication_error",
    retry: false,
    next: "Use a valid key; `npx bailiwick key create` makes one.",
  },
  revoked_key: {
    status: 401,
    type: "authentication_error",
    retry: false,
    next: "This key was revoked; ask for a new one.",
  },
  expired_key: {
    status: 401,
    type: "authentication_error",
    retry: false,
    next: "This key has expired; ask for a new one.",
  },
  model_not_permitted: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Use a model within the key's scope, or a key that may use this one.",
  },
  key_not_permitted: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Use a key that has the permission; `npx bailiwick key create --may` makes one.",
  },
  tenant_only: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Do it with a key of the tenant's that has the permission.",
  },
  grant_missing: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Ask for one with `npx bailiwick grant create`; the tenant approves it.",
  },
  grant_over: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Ask for another grant.",
  },
  content_not_found: {
    status: 404,
    type: "invalid_request_error",
    retry: false,
    next: "List what is kept with `npx bailiwick content list`; the project asks for it with `--keep-content`.",
  },
  content_unreadable: {
    status: 503,
    type: "server_error",
    retry: false,
    next: "Put back the folder `content-keys` and the key that wraps what is in it; what was erased opens no more.",
  },
  exit_not_due: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Wait for the day that `npx bailiwick exit status` names, or let the tenant do it with a key that may erase.",
  },
  erased: {
    status: 410,
    type: "invalid_request_error",
    retry: false,
    next: "It is gone for ever; the signed statement says what of it is kept (`npx bailiwick erasure list`).",
  },
  operator_only: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Use an operator's token: your own, or the one in the data folder's file `operator-token`.",
  },
  rate_limited: {
    status: 429,
    type: "rate_limit_error",
    retry: true,
    next: "Wait as long as the `retry-after` header says.",
  },
  budget_exceeded: {
    status: 429,
    type: "insufficient_quota",
    retry: false,
    next: "Ask for fewer tokens, raise the named budget, or wait for the next month (UTC).",
  },
  wallet_exhausted: {
    status: 402,
    type: "insufficient_quota",
    retry: false,
    next: "Ask for fewer tokens, or have the operator grant credits (`npx bailiwick wallet grant`).",
  },
  // Where it may run
  no_permitted_site: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "See each candidate's reason; change the project's processing rules or add a permitted site.",
  },
  // What runs it
  overloaded: {
    status: 503,
    type: "overloaded_error",
    retry: true,
    next: "Wait as long as the `retry-after` header says.",
  },
  model_too_large: {
    status: 503,
    type: "server_error",
    retry: false,
    next: "The operator must give the engine more memory (`engine.memoryBytes`), unpin a model or serve a smaller one.",
  },
  preempted: {
    status: 503,
    type: "overloaded_error",
    retry: true,
    next: "Try again, or by a tier that does not give way; what it is known to have produced is metered.",
  },
  engine_unavailable: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "The engine is starting, restarting or away; try again shortly.",
  },
  engine_failed: {
    status: 502,
    type: "server_error",
    retry: true,
    next: "The engine ended during this request; what it is known to have produced is metered. Try again.",
  },
  engine_timeout: {
    status: 504,
    type: "server_error",
    retry: true,
    next: "The engine did not answer in time; try again.",
  },
  upstream_invalid: {
    status: 502,
    type: "server_error",
    retry: true,
    next: "The upstream's answer was not valid; see its own log.",
  },
  upstream_refused: {
    status: 502,
    type: "server_error",
    retry: false,
    next: "The operator must give the upstream's key (`upstreams[].keyEnvironment`, `--upstream-key`).",
  },
  // Keeping the books
  journal_full: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "The operator must free disk space; running answers finish.",
  },
  journal_failed: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "The journal cannot be written; the operator must look at the disk and restart.",
  },
  books_behind: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "Too much usage waits for the database; the operator must look at PostgreSQL.",
  },
  directory_stale: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "The database is away, and this project's data class may not be served without it. Try again.",
  },
  database_unavailable: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "What was asked stands in the database, which is away; the operator must look at PostgreSQL. Try again.",
  },
  database_busy: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "Try again in a moment, with fewer calls at once; PostgreSQL itself is there.",
  },
  log_unavailable: {
    status: 503,
    type: "server_error",
    retry: true,
    next: "The operator must look at the transparency log (`npx bailiwick status` says what it lacks). Try again.",
  },
  draining: { status: 503, type: "server_error", retry: true, next: "This server is stopping; try again." },
  // The control API
  name_taken: { status: 409, type: "invalid_request_error", retry: false, next: "Choose another name." },
  ambiguous_name: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Name it by its id, or as organisation/project.",
  },
  exceeds_parent: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "A child never holds more than its parent: lower the value, or raise the parent's.",
  },
  log_open: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Nothing has to be done: another log is begun only where one cannot go on.",
  },
  // Reservations
  reservation_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Begin when the device is free, name another device, or end the reservation that is in the way.",
  },
  capacity_reserved: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Ask for a smaller share or another time, or end one of the reservations that are named.",
  },
  invalid_period: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "A reservation begins now or later, ends after it begins, and lasts at most 366 days.",
  },
  device_not_found: {
    status: 404,
    type: "invalid_request_error",
    retry: false,
    next: "Use a device that the message names; `npx bailiwick status` lists the hosts. Where there is none, serve a model here, or let a host join.",
  },
  // Hosts on other machines
  joining_closed: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "The operator must set `hosts.listen` and restart, so that other machines can join.",
  },
  site_not_declared: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Declare the site in the settings' `sites` or in the facts first.",
  },
  join_token_invalid: {
    status: 401,
    type: "authentication_error",
    retry: false,
    next: "Ask this cloud's operator for a token: `npx bailiwick host token create --site SITE`.",
  },
  join_token_used: {
    status: 409,
    type: "authentication_error",
    retry: false,
    next: "Ask the operator for another token; should this machine be a host already, start it with its own data folder.",
  },
  join_token_expired: {
    status: 401,
    type: "authentication_error",
    retry: false,
    next: "Ask the operator for another token.",
  },
  site_mismatch: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Start it at the site that it is registered for, or ask the operator for a token of the other one.",
  },
  host_revoked: {
    status: 403,
    type: "permission_error",
    retry: false,
    next: "Join as a new host: with another data folder and a token of the operator's.",
  },
  host_unreachable: {
    status: 422,
    type: "invalid_request_error",
    retry: true,
    next: "Give an --address at which the gateway reaches --listen, and open it in the firewall.",
  },
  clock_skew: {
    status: 422,
    type: "invalid_request_error",
    retry: true,
    next: "Set the machine's clock (NTP), or allow more by `hosts.clockSkewMs`.",
  },
  version_mismatch: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Run the same release on both machines.",
  },
  // Documents of facts and policies
  document_invalid: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Mend what each reason names and apply it again; nothing has changed.",
  },
  version_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Look at the newest version (`facts show`, `policy show`, `price-book show`), put your change into it, and apply that.",
  },
  // The books
  usage_invalid: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Mend what each reason names and send all of it again; nothing of it was taken.",
  },
  usage_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Give another usage another id; nothing of this call was taken.",
  },
  grant_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Give another grant another id; nothing was granted.",
  },
  credit_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Give another credit another id; nothing was credited.",
  },
  prepaid_unbounded: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Let the organisation pay later, or apply a price book by which its requests cost at most what they are listed at.",
  },
  close_running: {
    status: 409,
    type: "invalid_request_error",
    retry: true,
    next: "Wait until the other one is done, then look at the period.",
  },
  period_not_over: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Close the period once it is over.",
  },
  period_empty: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Import what was used until then first; or close it as empty (`--empty`, `?empty=true`), for ever.",
  },
  period_out_of_turn: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Close periods one after the other, the earliest open one first (`ledger periods`).",
  },
  price_missing: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Apply a price book that has the price again, as it was.",
  },
  invoice_incomplete: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Say what is missing in the parties or the price book's taxes, and issue it again; no number was taken.",
  },
  invoice_state: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Look at the invoice's state (`invoice show`): what the message names is not done to an invoice in that state.",
  },
  paid_by_credits: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Credit what was not paid by credits, and give those back by a grant (`npx bailiwick wallet grant --paid 0`).",
  },
  credit_exceeds_invoice: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Credit at most what the message names, or correct the credit note before by an invoice.",
  },
  payment_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Give another payment, or another refund, another id; nothing was posted.",
  },
  payment_exceeds_invoice: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Note at most what is open (`invoice show`); what came beyond it belongs to another invoice, or goes back.",
  },
  refund_exceeds_invoice: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Credit the invoice first (`invoice credit`), or name the payment that did not last (`--payment`).",
  },
  credits_used: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Leave the purchase as it is; credit invoices of usage, or give credits (`wallet grant --paid 0`).",
  },
  format_unsupported: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Say what the message asks for, or use another format: `json` and `pdf` hold every invoice.",
  },
  delivery_conflict: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Keep what was delivered: an invoice never changes. Correct it by a credit note, or deliver to another folder.",
  },
  // Models on disk
  model_invalid: {
    status: 422,
    type: "invalid_request_error",
    retry: false,
    next: "Mend what it names, or remove the model and pull it again; if it stays so, its source gives another file.",
  },
  model_unavailable: {
    status: 502,
    type: "server_error",
    retry: true,
    next: "See each source's reason; `npx bailiwick doctor` says which sources are in reach.",
  },
  redirect_refused: {
    status: 502,
    type: "server_error",
    retry: false,
    next: "If that is where the Hub or its mirror keeps its files, name its domain in `models.huggingFaceStorage`.",
  },
  model_in_use: {
    status: 409,
    type: "invalid_request_error",
    retry: false,
    next: "Stop serving the model first (take it out of `models.serve`).",
  },
  disk_full: { status: 507, type: "server_error", retry: true, next: "Free disk space, or move the data folder." },
  internal_error: {
    status: 500,
    type: "server_error",
    retry: true,
    next: "This is a defect: report it with the request's id.",
  },
} as const satisfies Record<string, ErrorEntry>;

export interface ErrorEntry {
  readonly status: number;
  readonly type: string;
  readonly retry: boolean;
  readonly next: string;
}

export type ErrorCode = keyof typeof errorCodes;

/** An expected refusal: a value, not an exception. `message` says what is wrong; the table says what to do next. */
export interface Refusal {
  readonly outcome: "refused";
  readonly code: ErrorCode;
  readonly message: string;
  /** The request field at fault, as a path: "messages[2].role". */
  readonly param?: string;
  /** Seconds after which trying again makes sense; becomes the `retry-after` header. */
  readonly retryAfterSeconds?: number;
  /** Each candidate's reason, where a choice among several failed. */
  readonly reasons?: readonly string[];
  /** Response headers that belong to it, names and values in turn. */
  readonly headers?: readonly string[];
}

export function refuse(
  code: ErrorCode,
  message: string,
  more: Pick<Refusal, "param" | "retryAfterSeconds" | "reasons" | "headers"> = {},
): Refusal {
  return { outcome: "refused", code, message, ...more };
}

/** A refusal on its way through code that can only throw. */
export class RefusalError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = "RefusalError";
    this.refusal = refusal;
  }
}

/** Runs work that refuses by throwing, which is how a transaction is rolled back. */
export async function refusing<Result>(work: () => Promise<Result>): Promise<Result | Refusal> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

/** OpenAI's error body, with what to do next. */
export function errorBody(refusal: Refusal): string {
  return JSON.stringify({ error: errorOf(refusal) });
}

/** The same as the last event of a stream, whose headers have left: it says itself when to come again. */
export function errorEvent(refusal: Refusal): string {
  const error = errorOf(refusal);
  const { retryAfterSeconds: seconds } = refusal;
  if (seconds === undefined) return `data: ${JSON.stringify({ error })}\n\n`;
  const retry_after = Math.max(1, Math.ceil(seconds));
  const next = error.next.replace("as long as the `retry-after` header says", `${retry_after} s`);
  return `data: ${JSON.stringify({ error: { ...error, next, retry_after } })}\n\n`;
}

function errorOf(refusal: Refusal) {
  const entry: ErrorEntry = errorCodes[refusal.code];
  return {
    message: refusal.message,
    type: entry.type,
    param: refusal.param ?? null,
    code: refusal.code,
    next: entry.next,
    retry: entry.retry,
    ...(refusal.reasons === undefined ? {} : { reasons: refusal.reasons }),
  };
}
