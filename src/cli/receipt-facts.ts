import type { StatementFacts } from "../receipt/index.ts";
import { CommandFailure, parsed } from "./failure.ts";

/** A receipt's statement as its file has it. */
type Statement = Omit<StatementFacts, "startedAtMs" | "endedAtMs"> & {
  readonly startedAt: string;
  readonly endedAt: string;
};
type Facts = readonly (readonly [string, string])[];

/** What a receipt's file states, believed as it stands. Fails where it is no receipt, or one of a newer version. */
export function readStatement(file: Buffer): Statement {
  const { payload } = (parsed(file.toString("utf8")) ?? {}) as { payload?: unknown };
  const statement = typeof payload === "string" ? parsed(Buffer.from(payload, "base64").toString("utf8")) : undefined;
  if (isStatement(statement)) return statement;
  throw new CommandFailure("unreadable_file", "The file is no receipt that this release can read.", {
    next: "Name the file that `bailiwick receipt get` saved.",
  });
}

const texts = ["receipt", "request", "organisation", "tenant", "endpoint", "gateway", "host", "ending"];
const parts = ["model", "engine", "site", "policy", "requestDigest"];
const maybe = ["usage", "price", "responseDigest"];

function isStatement(value: unknown): value is Statement {
  const statement = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isObject = (name: string): boolean => typeof statement[name] === "object" && statement[name] !== null;
  return (
    statement["v"] === 1 &&
    texts.every((name) => typeof statement[name] === "string") &&
    parts.every(isObject) &&
    maybe.every((name) => statement[name] === null || isObject(name))
  );
}

/** What a customer asks first. */
export function mainFacts(statement: Statement): Facts {
  const { model, engine, site, policy } = statement;
  return [
    ["model", model.name],
    ["engine", `${engine.name} (${engine.build})`],
    ["site", `${site.name} (${site.jurisdiction ?? "no jurisdiction declared"})`],
    ["data class", policy.dataClass],
    ["usage", usageText(statement)],
    ["price", priceText(statement)],
    ["ending", statement.ending],
    ["time", timeText(statement)],
  ];
}

/** All that it states. */
export function allFacts(statement: Statement): Facts {
  const { model, policy, requestDigest, responseDigest } = statement;
  return [
    ["receipt", statement.receipt],
    ["request", statement.request],
    ["organisation", statement.organisation],
    ["project", statement.tenant],
    ["endpoint", statement.endpoint],
    ...mainFacts(statement),
    ["model digest", model.sha256 === null ? "not known" : `SHA-256 ${model.sha256}`],
    ["policy", `${policy.decision}, by rules and facts with the digest ${policy.digest}`],
    ["gateway", statement.gateway],
    ["host", statement.host],
    ["request digest", digestText(requestDigest)],
    [
      "answer digest",
      responseDigest === null
        ? "none: a crash left nobody who knows what was sent"
        : `${digestText(responseDigest)}${responseDigest.complete ? "" : "; a part: the client left early"}`,
    ],
  ];
}

function usageText({ usage, unrated }: Statement): string {
  if (usage === null) return `not known: ${unrated ?? "no reason is given"}`;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return `${inputTokens} input tokens (${cachedInputTokens} cached), ${outputTokens} output (${reasoningTokens} reasoning)`;
}

function priceText({ price, unrated }: Statement): string {
  if (price === null || price.listAmount === null) return `none: ${unrated ?? "no reason is given"}`;
  return `${price.listAmount} ${price.currency} (price version ${price.version})`;
}

function timeText({ startedAt, endedAt }: Statement): string {
  return `${startedAt} to ${endedAt} (${Date.parse(endedAt) - Date.parse(startedAt)} ms)`;
}

function digestText({ keyId, value, bytes }: Statement["requestDigest"]): string {
  return `${bytes} bytes, HMAC-SHA-256 ${value}, salted with ${keyId}`;
}
