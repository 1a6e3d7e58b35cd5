import type { CanonicalValue } from "../base/index.ts";
import { readStatement, type Stated } from "../receipt/index.ts";
import { CommandFailure, parsed } from "./failure.ts";

type Facts = readonly (readonly [string, string])[];

/** A statement as the file has it, and what it states. */
export interface ShownStatement {
  readonly statement: CanonicalValue;
  readonly stated: Stated;
}

/** What a receipt's file states, believed as it stands. Fails where it is no receipt, or one of a newer version. */
export function readFileStatement(file: Buffer): ShownStatement {
  const { payload } = (parsed(file.toString("utf8")) ?? {}) as { payload?: unknown };
  const statement = typeof payload === "string" ? parsed(Buffer.from(payload, "base64").toString("utf8")) : undefined;
  const read = readStatement((statement ?? null) as CanonicalValue);
  if (read.outcome === "read") return { statement: statement as CanonicalValue, stated: read.stated };
  throw new CommandFailure("unreadable_file", "The file is no receipt that this release can read.", {
    next: "Name the file that `bailiwick receipt get` saved.",
  });
}

/** What a customer asks first. */
export function mainFacts(stated: Stated): Facts {
  const { model, engine, hops, policy } = stated;
  return [
    ["model", model.name],
    ["engine", `${engine.name} (${engine.build})`],
    ["site", hopText(hops.at(-1))],
    ["data class", policy.dataClass],
    ["usage", usageText(stated)],
    ["price", priceText(stated)],
    ["ending", stated.ending],
    ["time", timeText(stated)],
  ];
}

/** All that it states. */
export function allFacts(stated: Stated): Facts {
  const { model, policy, hops, requestDigest, responseDigest } = stated;
  return [
    ["receipt", stated.receipt],
    ["request", stated.request],
    ["organisation", stated.organisation],
    ["project", stated.tenant],
    ["endpoint", stated.endpoint],
    ...mainFacts(stated),
    ["model digest", model.sha256 === null ? "not known" : `SHA-256 ${model.sha256}`],
    ...narrowingFacts(policy.narrowing),
    ["policy", `${policy.decision}, by rules and facts with the digest ${policy.digest}`],
    ...policy.rejected.map(({ place, reason }) => ["not permitted", `${place}: ${reason}`] as const),
    ...hops.map((hop) => [hop.kind, `${hop.name} at ${hopText(hop)}`] as const),
    ["jurisdiction", evidenceText(stated)],
    ["request digest", digestText(requestDigest)],
    [
      "answer digest",
      responseDigest === null
        ? "none: a crash left nobody who knows what was sent"
        : `${digestText(responseDigest)}${responseDigest.complete ? "" : "; a part: the client left early"}`,
    ],
    ["what was asked", meaningText(stated.requestMeaning)],
    ["what was answered", meaningText(stated.answerMeaning)],
  ];
}

function narrowingFacts(narrowing: Stated["policy"]["narrowing"]): Facts {
  return Object.entries(narrowing ?? {}).map(([name, text]) => [
    "narrowed to",
    `${name}: ${text ?? "too long to be told"}`,
  ]);
}

function meaningText(meaning: Stated["requestMeaning"]): string {
  if (meaning === null) return "no digest";
  return `HMAC-SHA-256 ${meaning.value}, in the form ${meaning.form}, salted with ${meaning.keyId}`;
}

function hopText(hop: Stated["hops"][number] | undefined): string {
  if (hop === undefined) return "not stated";
  const operator = hop.operator === null ? "" : `, run by ${hop.operator}`;
  return `${hop.site} (${hop.jurisdiction ?? "no jurisdiction declared"}${operator})`;
}

function evidenceText({ evidence }: Stated): string {
  const word = evidence["jurisdiction"];
  return word === undefined || word === null ? "by nobody's word" : `by this evidence: ${word}`;
}

function usageText({ usage, unrated }: Stated): string {
  if (usage === null) return `not known: ${unrated ?? "no reason is given"}`;
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return `${inputTokens} input tokens (${cachedInputTokens} cached), ${outputTokens} output (${reasoningTokens} reasoning)`;
}

function priceText({ price, unrated }: Stated): string {
  if (price === null || price.listAmount === null) return `none: ${unrated ?? "no reason is given"}`;
  return `${price.listAmount} ${price.currency} (price version ${price.version})`;
}

function timeText({ startedAt, endedAt }: Stated): string {
  return `${startedAt} to ${endedAt} (${Date.parse(endedAt) - Date.parse(startedAt)} ms)`;
}

function digestText({ keyId, value, bytes }: Stated["requestDigest"]): string {
  return `${bytes} bytes, HMAC-SHA-256 ${value}, salted with ${keyId}`;
}
