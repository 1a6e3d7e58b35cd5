import { type ErrorCode, type ErrorEntry, errorCodes, type Refusal } from "../base/index.ts";

/** Why a command could not be done. It ends with exit code 2, and says all this on standard error. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly next: string | undefined;
  readonly reasons: readonly string[];

  constructor(
    code: string,
    message: string,
    more: { readonly next?: string; readonly reasons?: readonly string[] } = {},
  ) {
    super(message);
    this.name = "CommandFailure";
    this.code = code;
    this.next = more.next;
    this.reasons = more.reasons ?? [];
  }
}

export function failureOf(refusal: Refusal): CommandFailure {
  const { next }: ErrorEntry = errorCodes[refusal.code];
  return new CommandFailure(refusal.code, refusal.message, { next, reasons: refusal.reasons ?? [] });
}

/** The failure that an error body of the API stands for. */
export function failureOfBody(status: number, body: string): CommandFailure {
  const { error = {} } = (parsed(body) ?? {}) as { error?: Partial<Record<string, unknown>> };
  const { code, message, next, reasons } = error;
  if (typeof code !== "string" || typeof message !== "string") {
    return new CommandFailure("unexpected_answer", `The server answered ${status} with something that is not ours.`, {
      next: "Check the URL: something else may be listening there.",
    });
  }
  const known: ErrorEntry | undefined = errorCodes[code as ErrorCode];
  return new CommandFailure(code, message, {
    next: typeof next === "string" ? next : (known?.next ?? ""),
    reasons: Array.isArray(reasons) ? reasons.map(String) : [],
  });
}

/** JSON; undefined for what is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON holds nothing that a caller looks for, and each says so in its own words.
    return undefined;
  }
}
