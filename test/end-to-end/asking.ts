import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { descendants, type RunningCloud } from "./cloud.ts";

const run = promisify(execFile);

export interface Ask {
  readonly url: string;
  readonly key?: string;
  readonly content?: string;
  readonly stream?: boolean;
  /** Further fields of the body. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The body as it is, instead of the fields above. */
  readonly body?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Hears of each piece of the answer. */
  readonly onPart?: (textSoFar: string) => void;
}

/** What a client saw of an answer, also where it broke off. */
export interface Seen {
  /** undefined: no head came. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Whether the last byte was received: the protocol's own end, not a cut connection. */
  readonly whole: boolean;
}

export interface SeenUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number };
}

/** Asks for a chat's answer on a connection of its own; never rejects, as a cut connection is what is looked at. */
export function ask(options: Ask): Promise<Seen> {
  const body =
    options.body ??
    JSON.stringify({
      model: "fake",
      messages: [{ role: "user", content: options.content ?? "Say hello." }],
      ...(options.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
      ...options.more,
    });
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let seen: Omit<Seen, "text" | "whole"> = { status: undefined, headers: {} };
    const done = (whole: boolean): void => resolve({ ...seen, text: Buffer.concat(parts).toString(), whole });
    const sent = request(
      `${options.url}${options.path ?? "/v1/chat/completions"}`,
      {
        method: "POST",
        agent: false,
        headers: {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...(options.key === undefined ? {} : { authorization: `Bearer ${options.key}` }),
          ...options.headers,
        },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (response) => {
        seen = { status: response.statusCode, headers: response.headers };
        response.on("data", (part: Buffer) => {
          parts.push(part);
          options.onPart?.(Buffer.concat(parts).toString());
        });
        response.on("end", () => done(response.complete));
        response.on("error", () => done(false));
      },
    );
    sent.on("error", () => done(false));
    sent.end(body);
  });
}

/** The events of a stream, as far as they are whole; `[DONE]` stays text. */
export function eventsOf(text: string): readonly Record<string, unknown>[] {
  return text
    .split("\n\n")
    .slice(0, -1)
    .filter((event) => event.startsWith("data: ") && event !== "data: [DONE]")
    .map((event) => JSON.parse(event.slice(6)) as Record<string, unknown>);
}

export function isDone(text: string): boolean {
  return text.endsWith("data: [DONE]\n\n");
}

/** The usage that an answer says of itself, whole or streamed. */
export function usageIn(seen: Seen): SeenUsage | undefined {
  const last: { usage?: SeenUsage } | undefined = seen.text.startsWith("data: ")
    ? eventsOf(seen.text).at(-1)
    : (JSON.parse(seen.text) as object);
  return last?.usage;
}

export interface ErrorSeen {
  readonly code: string;
  readonly message: string;
  readonly param?: string | null;
  readonly reasons?: readonly string[];
}

export function errorIn(seen: Seen): ErrorSeen {
  const value = JSON.parse(seen.text) as { error?: ErrorSeen };
  if (value.error === undefined) throw new Error(`no error in ${seen.text}`);
  return value.error;
}

/** A row of `usage`, as far as tests look at it. */
export interface UsageRow {
  readonly key: string;
  readonly model: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly unrated: number;
  readonly amount: string;
}

/** The control API without a command's start-up time. */
export async function control<T>(cloud: RunningCloud, method: string, path: string, body?: unknown): Promise<T> {
  const token = readFileSync(join(cloud.data, "operator-token"), "utf8").trim();
  const response = await fetch(`${cloud.url}/control/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

export async function makeKey(
  cloud: RunningCloud,
  name: string,
  more: { readonly project?: string; readonly limits?: Readonly<Record<string, unknown>> } = {},
): Promise<string> {
  const { project = "default", limits } = more;
  const body = { project, name, ...(limits === undefined ? {} : { limits }) };
  return (await control<{ key: string }>(cloud, "POST", "/keys", body)).key;
}

export async function usageOf(cloud: RunningCloud, key: string): Promise<UsageRow> {
  const rows = await cloud.command<UsageRow[]>("usage", "--key", key);
  const sum = (pick: (row: UsageRow) => number): number => rows.reduce((total, row) => total + pick(row), 0);
  return {
    key,
    model: rows[0]?.model ?? "",
    requests: sum(({ requests }) => requests),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    unrated: sum(({ unrated }) => unrated),
    amount: rows[0]?.amount ?? "0",
  };
}

/** The process below a cloud's whose command line matches. */
export async function processBelow(cloud: RunningCloud, kind: "postmaster" | "host"): Promise<number> {
  const below = await descendants(cloud.process.pid!);
  const { stdout } = await run("ps", ["-o", "pid=,args=", "-p", below.join(",")]);
  const pattern = kind === "host" ? /host[/.]/ : /postgres(\.exe)? -D/;
  const lines = stdout.split("\n").filter((line) => pattern.test(line) && !/^\s*\d+\s+(\S*\/)?sh /.test(line));
  const pid = Number.parseInt(lines[0] ?? "", 10);
  if (Number.isNaN(pid)) throw new Error(`no ${kind} in:\n${stdout}`);
  return pid;
}

/** A metric's samples whose labels hold all of the given text, added up. */
export async function metric(cloud: RunningCloud, name: string, label = ""): Promise<number> {
  const text = await (await fetch(`${cloud.url}/metrics`)).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)) && line.includes(label))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** What taking usage of other services answers, where nothing of it is odd. */
export function recorded(accepted: number, duplicates: number, more: object = {}): object {
  return { accepted, duplicates, unrated: 0, late: 0, warnings: [], ...more };
}
