import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Clock, errorBody, refuse } from "../base/index.ts";
import { answer, type AnsweringOptions, type HostRequest, sendJson, sendRefusal } from "./answering.ts";
import type { HostCounts, HostHello } from "./wire.ts";

export interface HostServerOptions {
  readonly clock: Clock;
  readonly bodyBytes: number;
  /** Undefined while models are being loaded. */
  readonly ready: () => { readonly hello: HostHello; readonly answering: AnsweringOptions } | undefined;
  readonly loading: () => string;
}

/** The host's routes on its Unix socket. */
export class HostServer {
  readonly server: Server;
  readonly #options: HostServerOptions;
  #leaseEndMs = -Infinity;
  #draining = false;
  #running = 0;
  #idle: (() => void) | undefined;

  constructor(options: HostServerOptions) {
    this.#options = options;
    this.server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 60_000 }, (request, response) => {
      this.#route(request, response).catch(() => response.destroy());
    });
  }

  /** Takes nothing new; resolves once what runs has ended, or after `limitMs`. */
  drain(limitMs: number): Promise<void> {
    this.#draining = true;
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(limitMs, resolve);
      this.#idle = () => {
        cancel();
        resolve();
      };
    });
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { url = "", method } = request;
    const ready = this.#options.ready();
    if (ready === undefined) {
      request.resume();
      return sendJson(response, 503, JSON.stringify({ loading: this.#options.loading() }));
    }
    if (method === "POST" && url === "/v1/chat/completions") return this.#run("chat.completions", request, response);
    if (method === "POST" && url === "/v1/completions") return this.#run("completions", request, response);
    if (method === "GET" && url === "/host/v1/hello") return sendJson(response, 200, JSON.stringify(ready.hello));
    if (method === "GET" && url === "/v1/models") return sendJson(response, 200, modelList(ready.hello));
    if (method === "GET" && url.startsWith("/host/v1/counts/")) return this.#counts(url.slice(16), response);
    if (method === "POST" && url === "/host/v1/acknowledge") return this.#acknowledge(request, response);
    if (method === "POST" && url === "/host/v1/lease") return this.#lease(request, response);
    return sendRefusal(response, refuse("not_found", "This host has no such route."));
  }

  async #run(endpoint: HostRequest["endpoint"], request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request, this.#options.bodyBytes);
    if (body === undefined) return sendRefusal(response, refuse("malformed_json", "The body is not JSON."));
    if (this.#draining || this.#options.clock.monotonicMs() > this.#leaseEndMs) {
      return sendRefusal(
        response,
        refuse("engine_unavailable", "This host takes nothing new.", { retryAfterSeconds: 1 }),
      );
    }
    this.#running++;
    try {
      const { headers } = request;
      const asked: HostRequest = {
        endpoint,
        request: headerOf(headers["bailiwick-request"]) ?? "req_none",
        tenant: headerOf(headers["bailiwick-tenant"]) ?? "",
        unsupported: headers["bailiwick-unsupported"] === "warn" ? "warn" : "refuse",
        json: body.value,
      };
      await answer(this.#options.ready()!.answering, asked, request, response);
    } finally {
      this.#running--;
      if (this.#running === 0) this.#idle?.();
    }
  }

  #counts(request: string, response: ServerResponse): void {
    const { answering } = this.#options.ready()!;
    let cancel = (): void => undefined;
    const tell = (counts: HostCounts): void => {
      cancel();
      sendJson(response, 200, JSON.stringify(counts));
    };
    const state = answering.progress.wait(request, tell);
    if (state === "unknown") return sendJson(response, 404, errorBody(refuse("not_found", "No such request here.")));
    if (state === "waiting") {
      cancel = this.#options.clock.after(waitForCountsMs, () => {
        sendJson(response, 503, errorBody(refuse("engine_unavailable", "It still runs.", { retryAfterSeconds: 1 })));
      });
    }
    return undefined;
  }

  async #acknowledge(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request, controlBytes);
    const { requests } = (body?.value ?? {}) as { requests?: unknown };
    if (!Array.isArray(requests)) return sendRefusal(response, refuse("invalid_request", "`requests` is a list."));
    this.#options.ready()!.answering.progress.acknowledge(requests.filter((id) => typeof id === "string"));
    return sendJson(response, 200, "{}");
  }

  async #lease(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request, controlBytes);
    const { seconds } = (body?.value ?? {}) as { seconds?: unknown };
    if (typeof seconds !== "number" || !(seconds > 0 && seconds <= 60)) {
      return sendRefusal(response, refuse("invalid_request", "`seconds` is a number up to 60."));
    }
    this.#leaseEndMs = this.#options.clock.monotonicMs() + seconds * 1_000;
    return sendJson(response, 200, "{}");
  }
}

const waitForCountsMs = 10_000;
const controlBytes = 8 << 20;

function modelList(hello: HostHello): string {
  const data = hello.models.map(({ name, contextTokens }) => ({
    id: name,
    object: "model",
    created: 0,
    owned_by: "bailiwick",
    max_model_len: contextTokens,
  }));
  return JSON.stringify({ object: "list", data });
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" && value.length <= 128 && /^[\w-]+$/.test(value) ? value : undefined;
}

async function readJson(request: IncomingMessage, maxBytes: number): Promise<{ readonly value: unknown } | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > maxBytes) return undefined;
    parts.push(part);
  }
  try {
    return { value: JSON.parse((parts.length === 1 ? parts[0]! : Buffer.concat(parts)).toString("utf8")) };
  } catch {
    // What is no JSON is refused by the caller in its own words.
    return undefined;
  }
}
