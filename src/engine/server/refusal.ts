import { type ErrorCode, refuse, RefusalError } from "../../base/index.ts";
import { messageOf } from "./control.ts";

/** What a program's answer other than 200 means: its finding fault with the request is a refusal, all else a failure. */
export function errorOf(status: number, value: unknown): Error {
  const message = messageOf(value);
  // Our own key, model and methods: what is wrong with these is not the request's fault.
  const isOurs = [401, 403, 405].includes(status);
  if (status < 400 || status >= 500 || isOurs) return new Error(`the program answered ${status}: ${message}`);
  if (status === 429) {
    return new RefusalError(refuse("overloaded", "Too many answers wait for this model.", { retryAfterSeconds: 1 }));
  }
  return new RefusalError(refuse(codeOf(message, JSON.stringify(value) ?? ""), message));
}

function codeOf(message: string, body: string): ErrorCode {
  if (/exceed_context|context (length|size|window)|max_model_len|longer than the maximum/i.test(body)) {
    return "context_length_exceeded";
  }
  return /schema|grammar|structured output/i.test(message) ? "unsupported_schema" : "invalid_request";
}
