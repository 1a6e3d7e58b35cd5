import type { IncomingMessage, ServerResponse } from "node:http";
import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { jsonSchemaTransform, serializerCompiler, validatorCompiler } from "fastify-type-provider-zod";
import type { z } from "zod";
import { type Clock, type Ids, isTooNested, nestingMax, refuse } from "../../base/index.ts";
import { documentHeaders, pageFiles, type PageStatus, renderPage } from "../page/index.ts";
import { createAccess, type Identities, type Permission } from "./access.ts";
import { createAudited } from "./auditing.ts";
import { binaryEvent } from "./binary-event.ts";
import { alertRoutes } from "./alert-routes.ts";
import { auditRoutes } from "./audit-routes.ts";
import { booksRoutes } from "./books-routes.ts";
import { cloudRoutes, usageRoutes } from "./cloud-routes.ts";
import { contentRoutes } from "./content-routes.ts";
import { erasureRoutes } from "./erasure-routes.ts";
import { exitRoutes } from "./exit-routes.ts";
import { grantRoutes } from "./grant-routes.ts";
import { isAbort, refusalOf } from "./failures.ts";
import { hostRoutes } from "./host-routes.ts";
import { KnownModels } from "./known-models.ts";
import { logRoutes } from "./log-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import { openapiOptions } from "./openapi.ts";
import type { Operations } from "./operations.ts";
import { createPace } from "./pace.ts";
import { base, keepAsker, type OnFailure, register, sendRefusal } from "./register.ts";
import { reservationRoutes } from "./reservation-routes.ts";
import { reportRoutes } from "./report-routes.ts";
import { residencyRoutes } from "./residency-routes.ts";
import type { Route } from "./route.ts";
import { staffRoutes } from "./staff-routes.ts";
import { walletRoutes } from "./wallet-routes.ts";
import { tenancyRoutes } from "./tenancy-routes.ts";
import { usageBodies } from "./usage-body.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Who may use the route. One that says nothing cannot be registered. */
    permission?: Permission;
  }
}

export interface ControlOptions {
  readonly version: string;
  readonly identities: Identities;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly operations: Operations;
  /** Prometheus's text format. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** What the page shows: nothing that belongs to a tenant. */
  readonly pageStatus: () => PageStatus;
  /** The public page on jurisdiction, whole: nothing of a tenant is on it. */
  readonly jurisdictionPage: () => string;
  readonly onFailure: OnFailure;
}

export interface Control {
  /** Answers everything that is neither /v1 nor a plain answer of the server's: /control, /openapi.json, /metrics, the page. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  openapi(): object;
  close(): Promise<void>;
}

const mostBodyBytes = 1 << 20;
const usagePath = `${base}/usage`;

export async function createControl(options: ControlOptions): Promise<Control> {
  const app = fastify({
    bodyLimit: mostBodyBytes,
    genReqId: () => options.ids.mint("req"),
    routerOptions: { maxParamLength: 1_000 },
    // What its router itself turns away never comes to the handler of errors below.
    frameworkErrors: (error, _request, reply) => {
      void sendRefusal(reply, refusalOf(error) ?? refuse("invalid_request", "The request is not valid."));
    },
  });
  app.addHook("preValidation", async (request, reply) =>
    isTooNested(request.body)
      ? sendRefusal(reply, refuse("invalid_request", `The body has more than ${nestingMax} levels.`))
      : undefined,
  );
  // CloudEvents, binary: attributes are headers. Only where they can be usage; a proxy may add such headers anywhere.
  app.addHook("preValidation", async (request, reply) => {
    if (!isUsage(request)) return undefined;
    const read = binaryEvent(request.headers, request.body);
    if (read?.outcome === "refused") return sendRefusal(reply, read);
    if (read !== undefined) request.body = read.event;
    return undefined;
  });
  // JSON alone: a form in a browser can send text without asking first.
  app.removeContentTypeParser("text/plain");
  // CloudEvents, structured: JSON under names of their own (HTTP protocol binding 1.0.2, 3.2 and 3.3).
  app.addContentTypeParser(
    ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"],
    { parseAs: "string" },
    usageBodies(app.getDefaultJsonParser("error", "error"), isUsage),
  );
  app.setValidatorCompiler<z.core.$ZodType>((schema) => {
    const validate = validatorCompiler(schema);
    // What is not there comes as null: a schema that has a default takes it.
    return (data: unknown) => validate(data ?? undefined);
  });
  app.setSerializerCompiler(serializerCompiler);
  guard(app, options.identities);
  await app.register(swagger, { openapi: openapiOptions(options.version), transform: jsonSchemaTransform });
  const routes = controlRoutes(options.operations);
  const { audit, tenancy } = options.operations;
  const audited = createAudited(audit, tenancy, options.onFailure);
  const pace = createPace(options.clock);
  for (const route of routes) register(app, route, { audited, pace, onFailure: options.onFailure });
  registerPlain(app, options);
  answerFailures(app, options, routes);
  await app.ready();
  return {
    handle: (request, response) => app.routing(request, response),
    openapi: () => app.swagger(),
    close: () => app.close(),
  };
}

function isUsage({ method, routeOptions }: FastifyRequest): boolean {
  return method === "POST" && routeOptions.url === usagePath;
}

/** The control API's table. */
export function controlRoutes(operations: Operations): readonly Route[] {
  const { tenancy, usage, reservations, residency, hosts, catalog, cloud, log, reports } = operations;
  const { alerts, books, wallets, operators, audit, contents, support, erasures, exports, exits } = operations;
  const models = new KnownModels(catalog, cloud);
  return [
    ...tenancyRoutes(tenancy, models),
    ...usageRoutes(usage, tenancy, models),
    ...booksRoutes(books),
    ...walletRoutes(wallets),
    ...alertRoutes(alerts),
    ...reservationRoutes(reservations),
    ...residencyRoutes(residency),
    ...hostRoutes(hosts),
    ...modelRoutes(catalog, cloud, models),
    ...cloudRoutes(cloud, models),
    ...logRoutes(log),
    ...reportRoutes(reports),
    ...staffRoutes(operators),
    ...auditRoutes(audit, tenancy),
    ...contentRoutes(contents, support, tenancy),
    ...grantRoutes(support, tenancy),
    ...erasureRoutes(erasures, tenancy),
    ...exitRoutes(exports, exits, support, tenancy),
  ];
}

/** Deny by default: no route without a permission, and no request past one that it does not have. */
export function guard(app: FastifyInstance, identities: Identities): void {
  const access = createAccess(identities);
  app.addHook("onRoute", (route) => {
    if (route.config?.permission === undefined) throw new Error(`The route ${route.url} declares no permission.`);
  });
  app.addHook("onRequest", async (request, reply) => {
    void reply.header("x-request-id", request.id).header("x-content-type-options", "nosniff");
    // What is not there is nobody's business but the operator's.
    const { permission } = request.routeOptions.config;
    const asker = await access(permission ?? (request.url.startsWith("/control") ? "operator" : "public"), request.raw);
    if ("outcome" in asker) return sendRefusal(reply, asker);
    keepAsker(request, asker);
    return undefined;
  });
}

function registerPlain(app: FastifyInstance, options: ControlOptions): void {
  const plain = (
    url: string,
    permission: Permission,
    answer: (request: FastifyRequest, reply: FastifyReply) => unknown,
  ) =>
    app.route({
      method: "GET",
      url,
      config: { permission },
      schema: { hide: true },
      handler: async (request, reply) => answer(request, reply),
    });
  plain("/openapi.json", "operator-or-loopback", () => app.swagger());
  plain("/metrics", "operator-or-loopback", async (_, reply) => {
    const { contentType, body } = await options.metrics();
    return reply.header("content-type", contentType).send(body);
  });
  const status = () => options.pageStatus();
  for (const file of pageFiles()) {
    plain(file.path, "public", (_, reply) => {
      for (const [name, value] of Object.entries(file.headers)) void reply.header(name, value);
      return reply.send(file.body);
    });
  }
  plain("/", "public", (request, reply) => {
    const rendered = renderPage(status(), request.headers.host);
    for (const [name, value] of Object.entries(rendered.headers)) void reply.header(name, value);
    return reply.send(rendered.body);
  });
  plain("/.well-known/bailiwick/jurisdiction", "public", (_, reply) => {
    for (const [name, value] of Object.entries(documentHeaders)) void reply.header(name, value);
    return reply.send(options.jurisdictionPage());
  });
  plain("/.well-known/bailiwick/jurisdiction.json", "public", (_, reply) =>
    reply.header("cache-control", "no-store").send(options.operations.reports.jurisdiction()),
  );
  plain("/page/status.json", "public", (_, reply) => reply.header("cache-control", "no-store").send(status()));
}

function answerFailures(app: FastifyInstance, options: ControlOptions, routes: readonly Route[]): void {
  app.setErrorHandler((error, request, reply) => {
    const refusal = refusalOf(error);
    // Nobody is there to be told, and nothing failed.
    if (isAbort(error) && reply.raw.destroyed) return reply;
    return sendRefusal(reply, refusal ?? options.onFailure(error, request.id));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0] ?? "/";
    const methods = routes.filter((route) => matches(`${base}${route.path}`, path)).map(({ method }) => method);
    if (methods.length > 0) {
      void reply.header("allow", methods.join(", "));
      return sendRefusal(reply, refuse("method_not_allowed", `Use ${methods.join(" or ")} here.`));
    }
    return sendRefusal(reply, refuse("not_found", `There is nothing at ${path.slice(0, 200)}.`));
  });
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return wanted.length === given.length && wanted.every((step, index) => step.startsWith(":") || step === given[index]);
}
