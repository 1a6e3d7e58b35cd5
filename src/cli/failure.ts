import { type ErrorCode, type ErrorEntry, errorCodes, type Refusal } from "../base/index.ts";

/** Why a command could not be done. It ends with exit code 2, and says all this on standard error. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly next: string | undefined;
  readonly reasons: readonly string[];
  /** The field at fault, as the API calls it. */
  readonly param: string | undefined;

  constructor(
    code: string,
    message: string,
    more: { readonly next?: string; readonly reasons?: readonly string[]; readonly param?: string | undefined } = {},
  ) {
    super(message);
    this.name = "CommandFailure";
    this.code = code;
    this.next = more.next;
    this.reasons = more.reasons ?? [];
    this.param = more.param;
  }
}

/** The options that fields of the control API are set by. */
const optionsByField: ReadonlyMap<string, string> = new Map([
  ["limits.models", "--models"],
  ["limits.requestsPerMinute", "--requests-per-minute"],
  ["limits.tokensPerMinute", "--tokens-per-minute"],
  ["limits.monthlyBudget", "--monthly-budget"],
  ["limits.expiresAt", "--expires"],
  ["dataClass", "--data-class"],
  ["processing", "--processing"],
  ["storage", "--storage"],
  ["regimes", "--regimes"],
  ["country", "--country"],
  ["exported", "--exported"],
  ["basedOn", "--based-on"],
  ["unsupported", "--unsupported"],
  ["tier", "--tier"],
  ["from", "--from"],
  ["to", "--to"],
  ["device", "--device"],
  ["share", "--share"],
  ["until", "--until"],
  ["hours", "--hours"],
  ["note", "--note"],
  ["keepContentSeconds", "--keep-content"],
  ["operator", "--operator"],
  ["project", "--project"],
  ["except", "--except"],
  ["site", "--site"],
]);

/** The option that sets a field ("limits.models[1]"); undefined where none does, or several could. */
export function optionOf(param: string | undefined): string | undefined {
  return param === undefined ? undefined : optionsByField.get(param.replace(/\[.*$/, ""));
}

export function failureOf({ code, message, param, reasons = [] }: Refusal): CommandFailure {
  const { next }: ErrorEntry = errorCodes[code];
  return new CommandFailure(code, inOptions(message, param), { next, reasons, param });
}

/** The failure that an error body of the API stands for. */
export function failureOfBody(status: number, body: string): CommandFailure {
  const { error = {} } = (parsed(body) ?? {}) as { error?: Partial<Record<string, unknown>> };
  const { code, message, next, reasons, param } = error;
  if (typeof code !== "string" || typeof message !== "string") {
    return new CommandFailure("unexpected_answer", `The server answered ${status} with something that is not ours.`, {
      next: "Check the URL: something else may be listening there.",
    });
  }
  const known: ErrorEntry | undefined = errorCodes[code as ErrorCode];
  const field = typeof param === "string" ? param : undefined;
  return new CommandFailure(code, inOptions(message, field), {
    next: typeof next === "string" ? next : (known?.next ?? ""),
    reasons: Array.isArray(reasons) ? reasons.map(String) : [],
    param: field,
  });
}

/** A message of the API's in the words of the command line: who typed an option knows no field. */
function inOptions(message: string, param: string | undefined): string {
  if (optionOf(param) === undefined) return message;
  return message.replaceAll(/`([\w.]+(?:\[\d+\])?)`/g, (field, name: string) => optionOf(name) ?? field);
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
