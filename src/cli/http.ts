import { once } from "node:events";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { CommandFailure } from "./failure.ts";

export interface HttpQuestion {
  readonly method: string;
  readonly url: URL;
  /** Left out: what is asked for is public. */
  readonly token?: string;
  readonly body?: unknown;
  /** The longest silence that is borne; undefined: as long as it takes. */
  readonly idleTimeoutMs: number | undefined;
  /** Gives the question up, which then fails as one whose connection broke. */
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: IncomingMessage;
}

const mostBytes = 64 << 20;

/** Asks a server. Fails with `not_running` where nothing listens, and `unreachable` where the connection breaks. */
export async function ask(question: HttpQuestion): Promise<HttpAnswer> {
  const { url, method, token, idleTimeoutMs, signal } = question;
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  const body = question.body === undefined ? undefined : Buffer.from(JSON.stringify(question.body));
  const request = send(url, {
    method,
    // A connection each: one that is kept may be closed by the server just as it is used again.
    agent: false,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      accept: "application/json, application/x-ndjson",
      ...(body === undefined ? {} : { "content-type": "application/json", "content-length": body.length }),
    },
    ...(idleTimeoutMs === undefined ? {} : { timeout: idleTimeoutMs }),
    ...(signal === undefined ? {} : { signal }),
  });
  request.once("timeout", () => request.destroy(new Error(`no answer within ${idleTimeoutMs} ms`)));
  request.end(body);
  try {
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, body: answer };
  } catch (error) {
    throw connectionFailure(error, url);
  }
}

/** A body whole, as text. */
export async function readText(answer: HttpAnswer, url: URL): Promise<string> {
  return (await readBytes(answer, url)).toString("utf8");
}

export async function readBytes(answer: HttpAnswer, url: URL): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer.body) {
      bytes += (part as Buffer).length;
      if (bytes > mostBytes) throw new Error(`the answer exceeds ${mostBytes} bytes`);
      parts.push(part as Buffer);
    }
  } catch (error) {
    throw connectionFailure(error, url);
  }
  return Buffer.concat(parts, bytes);
}

export function connectionFailure(error: unknown, url: URL): CommandFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED" || code === "ENOENT") {
    return new CommandFailure("not_running", `Nothing answers at ${url.origin}.`, {
      next: "Start the cloud with `npx bailiwick up`, or name a running one with --url and --token-file.",
    });
  }
  return new CommandFailure("unreachable", `The connection to ${url.origin} failed: ${message}`, {
    next: "Look at the server's log, and try again.",
  });
}
