import { type Command, InvalidArgumentError } from "commander";
import type { Clock } from "../base/index.ts";
import type { Key } from "../gateway/control/index.ts";

export interface LimitOptions {
  readonly models?: string[] | null;
  readonly requestsPerMinute?: number | null;
  readonly tokensPerMinute?: number | null;
  readonly monthlyBudget?: string | null;
  readonly expires?: string | null;
}

const none = "`none` takes the limit away";
const dayMs = 86_400_000;

/** Gives a command the options that set limits; each may be `none`. */
export function withLimits(command: Command, clock: Clock): Command {
  return command
    .option("--models <names>", `models that may be used, separated by commas; ${none}`, parseModels)
    .option("--requests-per-minute <number>", `requests a minute; ${none}`, parseRate)
    .option("--tokens-per-minute <number>", `tokens a minute; ${none}`, parseRate)
    .option("--monthly-budget <amount>", `most that may be spent in a month (UTC), such as 25.00; ${none}`, orNone)
    .option("--expires <time>", `end of use: 2026-12-31, an instant, or days from now such as 30d; ${none}`, (text) =>
      parseExpiry(text, clock.nowMs()),
    );
}

/** What the control API calls them: what no option named stays as it is. */
export function limitsOf(options: LimitOptions) {
  return {
    models: options.models,
    requestsPerMinute: options.requestsPerMinute,
    tokensPerMinute: options.tokensPerMinute,
    monthlyBudget: options.monthlyBudget,
    expiresAt: options.expires,
  };
}

/** Limits for people: "60 requests/min, 10 a month", or nothing. */
export function describeLimits(limits: Key["limits"]): string {
  return [
    limits.models === null ? undefined : `models ${limits.models.join(" ") || "(no model)"}`,
    limits.requestsPerMinute === null ? undefined : `${limits.requestsPerMinute} requests/min`,
    limits.tokensPerMinute === null ? undefined : `${limits.tokensPerMinute} tokens/min`,
    limits.monthlyBudget === null ? undefined : `${limits.monthlyBudget} a month`,
    limits.expiresAt === null ? undefined : `until ${limits.expiresAt}`,
  ]
    .filter((part) => part !== undefined)
    .join(", ");
}

function orNone(text: string): string | null {
  return text === "none" ? null : text;
}

function parseModels(text: string): string[] | null {
  if (text === "none") return null;
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function parseRate(text: string): number | null {
  if (text === "none") return null;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("It must be a whole number or `none`.");
  return Number(text);
}

/** A day ends the use at its own end, midnight UTC, so that "until the 31st" includes the 31st. */
function parseExpiry(text: string, nowMs: number): string | null {
  if (text === "none") return null;
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return new Date(nowMs + Number(days) * dayMs).toISOString();
  const atMs = Date.parse(text);
  if (!/^\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?$/.test(text) || Number.isNaN(atMs)) {
    throw new InvalidArgumentError("It must be a day (2026-12-31), an instant (2026-12-31T12:00:00Z), 30d or `none`.");
  }
  return new Date(text.includes("T") ? atMs : atMs + dayMs).toISOString();
}
