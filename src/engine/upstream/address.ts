import { type buildConnector, Pool } from "undici";
import { Exchange, type Reader } from "./exchange.ts";
import { WholeAnswer } from "./whole-answer.ts";

/** Where an OpenAI-compatible server listens, and how long it may take. */
export interface AddressOptions {
  /** Base URL, with or without a path such as /v1: "http://127.0.0.1:8000/v1". */
  readonly url: string;
  /** A Unix socket to connect to instead of the URL's host. */
  readonly socketPath?: string;
  /** Makes connections instead, to wherever it likes; it has its own bound on how long that takes. */
  readonly connector?: buildConnector.connector;
  readonly connections: number;
  /** false: a connection for each request, for servers that close theirs when they like. */
  readonly keepAlive?: boolean;
  readonly connectTimeoutMs: number;
  /** Until the response's head. */
  readonly firstByteTimeoutMs: number;
  /** Between two parts of the response. */
  readonly idleTimeoutMs: number;
}

const jsonBytesMax = 4 << 20;

/** An address that speaks the OpenAI API: a host's Unix socket or an upstream's URL, reached the same way. */
export class Address {
  readonly #pool: Pool;
  readonly #origin: string;
  readonly #prefix: string;

  constructor(options: AddressOptions) {
    const url = new URL(options.url);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new TypeError(`an upstream's URL begins with http:// or https://, not ${url.protocol}`);
    }
    this.#origin = url.origin;
    // Callers name paths as OpenAI does ("/v1/models"); a base URL may or may not hold the /v1.
    this.#prefix = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
    this.#pool = new Pool(url.origin, {
      connections: options.connections,
      pipelining: options.keepAlive === false ? 0 : 1,
      headersTimeout: options.firstByteTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      // Shorter than the 5 s after which common servers close an idle connection: a reused one would meet a reset.
      keepAliveTimeout: 4_000,
      connect: options.connector ?? {
        timeout: options.connectTimeoutMs,
        noDelay: true,
        ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
      },
    });
  }

  /** Sends a request; `reader` gets the answer as it comes. `headers` is a flat list of names and values. */
  send(method: "GET" | "POST", path: string, headers: string[], body: Buffer | undefined, reader: Reader): Exchange {
    const exchange = new Exchange(reader);
    this.#pool.dispatch(
      { origin: this.#origin, path: this.#prefix + path, method, headers, body: body ?? null },
      exchange,
    );
    return exchange;
  }

  /** A small JSON request of the control channel or of `/v1/models`; the body is bounded. */
  async json(
    method: "GET" | "POST",
    path: string,
    options: { readonly headers?: string[]; readonly body?: unknown } = {},
  ): Promise<{ readonly status: number; readonly value: unknown }> {
    const { status, text } = await this.text(method, path, options);
    return { status, value: JSON.parse(text) as unknown };
  }

  /** A small request whose answer may be JSON or not; its body is bounded. */
  async text(
    method: "GET" | "POST",
    path: string,
    options: { readonly headers?: string[]; readonly body?: unknown } = {},
  ): Promise<{ readonly status: number; readonly text: string }> {
    const headers = [...(options.headers ?? []), "accept", "application/json"];
    const body = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    if (body !== undefined) headers.push("content-type", "application/json");
    const answer = new WholeAnswer(jsonBytesMax);
    const exchange = this.send(method, path, headers, body, answer);
    try {
      const { status } = await answer.headed;
      return { status, text: (await answer.body).toString("utf8") };
    } finally {
      exchange.abort(new Error("nothing more is read"));
    }
  }

  /** The status that a request is answered with; the rest of the answer is not read. */
  async status(method: "GET" | "POST", path: string, headers: string[], body: Buffer): Promise<number> {
    const answer = new WholeAnswer(jsonBytesMax);
    const exchange = this.send(method, path, headers, body, answer);
    try {
      return (await answer.headed).status;
    } finally {
      exchange.abort(new Error("nothing more is read"));
    }
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  destroy(): Promise<void> {
    return this.#pool.destroy();
  }
}
