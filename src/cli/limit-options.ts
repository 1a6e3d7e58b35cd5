import { type Command, InvalidArgumentError } from "commander";
import type { Clock } from "../base/index.ts";
import { isDayOfCalendar } from "./calendar.ts";
import type { Key, ShownStatus } from "../gateway/control/index.ts";
import type { ControlClient } from "./control-client.ts";

/** As written: commander takes a null for no value at all, so the word itself stands for it until it is sent. */
type None = "none";

export interface LimitOptions {
  readonly models?: string[] | None;
  readonly requestsPerMinute?: number | None;
  readonly tokensPerMinute?: number | None;
  readonly monthlyBudget?: string;
  readonly expires?: string;
}

const none = "`none` takes the limit away";
const dayMs = 86_400_000;

/** Gives a command the options that set limits; each may be `none`. */
export function withLimits(command: Command, clock: Clock): Command {
  return command
    .option("--models <names>", `models that may be used, separated by commas; ${none}`, parseModels)
    .option("--requests-per-minute <number>", `requests a minute, 0: none at all; ${none}`, parseRate)
    .option("--tokens-per-minute <number>", `tokens a minute, 0: none at all; ${none}`, parseRate)
    .option("--monthly-budget <amount>", `most that may be spent in a month (UTC), such as 25.00; ${none}`)
    .option("--expires <time>", `end of use: 2026-12-31, an instant, or days from now such as 30d; ${none}`, (text) =>
      parseExpiry(text, clock.nowMs()),
    );
}

/** What the control API calls them: what no option named stays as it is. */
export function limitsOf(options: LimitOptions) {
  return {
    models: nullFor(options.models),
    requestsPerMinute: nullFor(options.requestsPerMinute),
    tokensPerMinute: nullFor(options.tokensPerMinute),
    monthlyBudget: nullFor(options.monthlyBudget),
    expiresAt: nullFor(options.expires),
  };
}

/** What the budgets among these limits are in; asked for only where there is one. */
export async function currencyOf(cloud: ControlClient, all: readonly Key["limits"][]): Promise<string> {
  if (all.every(({ monthlyBudget }) => monthlyBudget === null)) return "";
  return (await cloud.get<ShownStatus>("/status")).currency ?? "";
}

/** Limits for people: "60 requests/min, 10 EUR a month", or nothing. */
export function describeLimits(limits: Key["limits"], currency: string): string {
  return [
    limits.models === null ? undefined : `models ${limits.models.join(" ") || "(no model)"}`,
    limits.requestsPerMinute === null ? undefined : `${limits.requestsPerMinute || "no"} requests/min`,
    limits.tokensPerMinute === null ? undefined : `${limits.tokensPerMinute || "no"} tokens/min`,
    limits.monthlyBudget === null ? undefined : `${`${limits.monthlyBudget} ${currency}`.trim()} a month`,
    limits.expiresAt === null ? undefined : `until ${limits.expiresAt}`,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
}

function nullFor<Value>(value: Value): Exclude<Value, None> | null {
  return value === "none" ? null : (value as Exclude<Value, None>);
}

function parseModels(text: string): string[] | None {
  if (text === "none") return text;
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function parseRate(text: string): number | None {
  if (text === "none") return text;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number or `none`.");
  return Number(text);
}

/** A day ends the use at its own end, midnight UTC, so that "until the 31st" includes the 31st. */
function parseExpiry(text: string, nowMs: number): string {
  if (text === "none") return text;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return new Date(nowMs + Number(days) * dayMs).toISOString();
  const atMs = Date.parse(text);
  const isWritten = /^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  if (!isWritten || !isDayOfCalendar(text) || Number.isNaN(atMs)) {
    throw new InvalidArgumentError("It must be a day (2026-12-31), an instant (2026-12-31T12:00:00Z), 30d or `none`.");
  }
  return new Date(text.includes("T") ? atMs : atMs + dayMs).toISOString();
}
