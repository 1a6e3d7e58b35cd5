import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { errorBody, errorCodes, type Refusal } from "../../base/index.ts";
import type { Asker } from "./access.ts";
import type { Audited } from "./auditing.ts";
import { isAbort } from "./failures.ts";
import type { Pace } from "./pace.ts";
import type { Lines, Route, RouteInput } from "./route.ts";

/** Where the control API's routes stand. */
export const base = "/control/v1";

/** Hears of a defect or broken I/O that ended a request, and says what its client is told; never what it asked. */
export type OnFailure = (error: unknown, request: string) => Refusal;

/** Serves a row of the table: its schemas on both sides of its handler, its refusals in their shape. */
export function register(
  app: FastifyInstance,
  route: Route,
  { audited, pace, onFailure }: { readonly audited: Audited; readonly pace: Pace; readonly onFailure: OnFailure },
): void {
  app.route({
    method: route.method,
    url: `${base}${route.path}`,
    config: { permission: route.permission },
    schema: {
      operationId: route.name,
      summary: route.summary,
      tags: [route.group],
      security: route.permission.startsWith("tenant:") ? [{ operator: [] }, { tenant: [] }] : [{ operator: [] }],
      ...(route.params === undefined ? {} : { params: route.params }),
      ...(route.query === undefined ? {} : { querystring: route.query }),
      ...(route.body === undefined ? {} : { body: route.body }),
      response: {
        [route.status]: route.streams
          ? { description: "Lines of JSON.", content: { "application/x-ndjson": { schema: route.answer } } }
          : route.answer,
      },
    },
    handler: async (request, reply) => {
      void reply.header("cache-control", "no-store");
      const input = inputOf(request, reply);
      const { asker, params, query, body } = input;
      const isAudited = route.audited === "all" || (route.audited === "operators" && asker.kind === "operator");
      const tooFast = isAudited && asker.kind === "key" ? pace.take(asker.name) : undefined;
      if (tooFast !== undefined) return sendRefusal(reply, tooFast);
      const work = (): Promise<unknown> => route.handle(input);
      const outcome = isAudited
        ? await audited(route, { request: request.id, asker, params, query, body }, work)
        : await work();
      if (isRefusal(outcome)) return sendRefusal(reply, outcome);
      if (route.streams) return sendLines(reply, outcome as Lines, route, onFailure);
      return reply.status(route.status).send(outcome);
    },
  });
}

/** The route's schemas have parsed the parts by now, which is what its handler's types say. */
function inputOf(request: FastifyRequest, reply: FastifyReply): RouteInput<never, never, never> {
  const left = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) left.abort();
  });
  const { params, query, body, id } = request;
  const parsed = { params, query, body: body ?? {}, asker: askerOf(request), request: id, signal: left.signal };
  return parsed as RouteInput<never, never, never>;
}

const askers = new WeakMap<FastifyRequest, Asker>();

/** Whom the guard has found to ask. */
export function keepAsker(request: FastifyRequest, asker: Asker): void {
  askers.set(request, asker);
}

function askerOf(request: FastifyRequest): Asker {
  return askers.get(request) ?? { kind: "anybody", name: "" };
}

function isRefusal(outcome: unknown): outcome is Refusal {
  return typeof outcome === "object" && outcome !== null && "code" in outcome && "message" in outcome
    ? (outcome as Partial<Refusal>).outcome === "refused"
    : false;
}

export function sendRefusal(reply: FastifyReply, refusal: Refusal): FastifyReply {
  if (refusal.retryAfterSeconds !== undefined) {
    void reply.header("retry-after", String(Math.max(1, Math.ceil(refusal.retryAfterSeconds))));
  }
  return reply
    .status(errorCodes[refusal.code].status)
    .header("content-type", "application/json")
    .serializer((text: string) => text)
    .send(errorBody(refusal));
}

async function sendLines(reply: FastifyReply, all: Lines, route: Route, onFailure: OnFailure): Promise<void> {
  let isWhole = false;
  try {
    isWhole = (await writeLines(reply, all, route, onFailure)) && (await isSent(reply));
  } finally {
    await all.onEnd?.(isWhole);
  }
}

/** Whoever has left before the last byte has not got all of it. */
async function isSent({ raw }: FastifyReply): Promise<boolean> {
  if (raw.writableFinished || raw.destroyed) return raw.writableFinished;
  return new Promise((resolve) => raw.once("finish", () => resolve(true)).once("close", () => resolve(false)));
}

/** Whether there were lines to their end, and somebody to read them. */
async function writeLines(reply: FastifyReply, { lines }: Lines, route: Route, onFailure: OnFailure): Promise<boolean> {
  const iterator = lines[Symbol.asyncIterator]();
  // What fails before the first line can still be answered as any other request.
  let next = await iterator.next();
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { ...reply.getHeaders(), "content-type": "application/x-ndjson" } as Record<string, string>);
  try {
    while (next.done !== true && !raw.destroyed) {
      const more = raw.write(`${JSON.stringify(route.answer.parse(next.value))}\n`);
      if (!more) await new Promise<void>((resolve) => raw.once("drain", resolve).once("close", resolve));
      next = await iterator.next();
    }
    const isAll = next.done === true && !raw.destroyed;
    raw.end();
    return isAll;
  } catch (error) {
    // The answer has begun, so an end without its last line is how the client learns of the failure.
    raw.destroy();
    if (!isAbort(error)) onFailure(error, reply.request.id);
    return false;
  } finally {
    await iterator.return?.();
  }
}
