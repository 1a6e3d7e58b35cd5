import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { z } from "zod";
import { isId, refuse, type Refusal } from "../base/index.ts";
import { type Read, readJson } from "./body.ts";
import { generate, type Hosting } from "./generation.ts";
import type { Lease } from "./lease.ts";
import type { HostHello, HostLeaseAnswer, HostPool, HostReservation } from "./protocol.ts";
import { Reply } from "./reply.ts";

export interface Routes extends Hosting {
  readonly lease: Lease;
  /** What is being loaded, or everything there is to say. */
  readonly hello: () => HostHello | { readonly loading: string };
  /** Which process this is, and what its clock says. */
  readonly presence: () => Pick<HostLeaseAnswer, "boot" | "atMs" | "isStopping">;
  /** What the device does; undefined: nothing yet. */
  readonly pool: () => HostPool | undefined;
  /** All that is reserved now. */
  readonly reserve: (reservations: readonly HostReservation[]) => void;
  /** How long a question for counts may wait for the answer's end. */
  readonly countsWaitMs: number;
}

const controlBytes = 8 << 20;
const countsPath = "/host/v1/counts/";
const maxLeaseSeconds = 3_600;
const maxReservations = 1_000;

const reservationList = z
  .array(
    z.strictObject({
      id: z.string(),
      tenant: z.string(),
      device: z.string().exactOptional(),
      share: z.number().positive().max(1).exactOptional(),
      untilMs: z.number().exactOptional(),
    }),
  )
  .max(maxReservations);

type Handler = (request: IncomingMessage, response: ServerResponse, routes: Routes) => Promise<void> | void;

const handlers: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly handle: Handler }>> = {
  "/v1/chat/completions": {
    method: "POST",
    handle: (request, response, routes) => generate("chat.completions", request, response, routes),
  },
  "/v1/completions": {
    method: "POST",
    handle: (request, response, routes) => generate("completions", request, response, routes),
  },
  "/v1/models": { method: "GET", handle: (_, response, routes) => replyTo(response).json(200, modelList(routes)) },
  "/host/v1/hello": { method: "GET", handle: hello },
  "/host/v1/pool": { method: "GET", handle: pool },
  "/host/v1/acknowledge": { method: "POST", handle: acknowledge },
  "/host/v1/forget": { method: "POST", handle: forget },
  "/host/v1/lease": { method: "POST", handle: lease },
};

/** The host's HTTP server: the OpenAI API and the control channel, for whoever may open its socket. */
export function createHostServer(routes: Routes): Server {
  const server = createServer(
    { keepAliveTimeout: 75_000, headersTimeout: 10_000, requestTimeout: 0, maxHeaderSize: 16_384 },
    (request, response) => {
      route(request, response, routes)?.catch((error: unknown) => {
        routes.log("error", "a request broke", { error: error instanceof Error ? error.name : typeof error });
        if (response.headersSent) response.destroy();
        else replyTo(response).refuse(refuse("internal_error", "The host failed on this request."));
      });
    },
  );
  return server;
}

function route(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> | undefined {
  const path = request.url ?? "";
  const found = Object.hasOwn(handlers, path) ? handlers[path] : undefined;
  if (found !== undefined && found.method === request.method) {
    return found.handle(request, response, routes) ?? undefined;
  }
  if (path.startsWith(countsPath) && request.method === "GET")
    return counts(path.slice(countsPath.length), response, routes);
  request.resume();
  if (found === undefined) replyTo(response).refuse(refuse("not_found", "A host has no such path."));
  else {
    response.setHeader("allow", found.method);
    replyTo(response).refuse(refuse("method_not_allowed", `Use ${found.method}.`));
  }
  return undefined;
}

function hello(_: IncomingMessage, response: ServerResponse, routes: Routes): void {
  const said = routes.hello();
  replyTo(response).json("loading" in said ? 503 : 200, said);
}

function pool(_: IncomingMessage, response: ServerResponse, routes: Routes): void {
  const view = routes.pool();
  if (view === undefined) replyTo(response).refuse(refuse("engine_unavailable", "The engine is starting."));
  else replyTo(response).json(200, view);
}

async function counts(request: string, response: ServerResponse, routes: Routes): Promise<void> {
  const reply = replyTo(response);
  const found = isId("req", request) ? await routes.tallies.counts(request, routes.countsWaitMs) : undefined;
  if (found === undefined) reply.refuse(refuse("not_found", "No counts are kept for this request."));
  else if (found === "running") reply.refuse(refuse("engine_timeout", "The request still runs."));
  else reply.json(200, found);
}

async function acknowledge(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const reply = replyTo(response);
  const body = await readControl(request, routes);
  if (body === undefined) return;
  if (body.outcome === "refused") return reply.refuse(body);
  const { requests } = body.value;
  if (!Array.isArray(requests))
    return reply.refuse(refuse("invalid_request", "A list is needed.", { param: "requests" }));
  routes.tallies.acknowledge(requests.filter((id): id is `req_${string}` => typeof id === "string" && isId("req", id)));
  reply.json(200, {});
}

async function forget(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const reply = replyTo(response);
  const body = await readControl(request, routes);
  if (body === undefined) return;
  if (body.outcome === "refused") return reply.refuse(body);
  const { tenant } = body.value;
  if (typeof tenant !== "string" || tenant === "")
    return reply.refuse(refuse("invalid_request", "A tenant is needed.", { param: "tenant" }));
  reply.json(200, await routes.forget(tenant));
}

async function lease(request: IncomingMessage, response: ServerResponse, routes: Routes): Promise<void> {
  const reply = replyTo(response);
  const body = await readControl(request, routes);
  if (body === undefined) return;
  if (body.outcome === "refused") return reply.refuse(body);
  const { seconds, reservations } = body.value;
  if (typeof seconds !== "number" || !(seconds > 0 && seconds <= maxLeaseSeconds)) {
    const wanted = `A number of seconds up to ${maxLeaseSeconds} is needed.`;
    return reply.refuse(refuse("invalid_request", wanted, { param: "seconds" }));
  }
  if (reservations !== undefined) {
    const read = reservationList.safeParse(reservations);
    if (!read.success)
      return reply.refuse(refuse("invalid_request", "They cannot be read.", { param: "reservations" }));
    routes.reserve(read.data);
  }
  routes.lease.renew(seconds);
  const view = routes.pool();
  const answer: HostLeaseAnswer = { ...routes.presence(), ...(view === undefined ? {} : { pool: view }) };
  reply.json(200, answer);
}

async function readControl(
  request: IncomingMessage,
  { clock, bounds }: Routes,
): Promise<Read<Readonly<Record<string, unknown>>> | Refusal | undefined> {
  const read = await readJson(request, { clock, maxBytes: controlBytes, timeoutMs: bounds.bodyTimeoutMs });
  if (read === undefined || read.outcome === "refused") return read;
  if (typeof read.value !== "object" || read.value === null) return refuse("invalid_request", "An object is needed.");
  return { outcome: "read", value: read.value as Record<string, unknown> };
}

function modelList(routes: Routes): object {
  const data = [...routes.models.values()].map(({ name, size }) => ({
    id: name,
    object: "model",
    created: 0,
    owned_by: "bailiwick",
    // Not OpenAI's, but what other servers of open models call it.
    max_model_len: size.contextTokens,
  }));
  return { object: "list", data };
}

function replyTo(response: ServerResponse): Reply {
  return new Reply(response, () => undefined);
}
