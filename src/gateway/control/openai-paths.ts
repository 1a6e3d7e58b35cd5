import { z } from "zod";
import { type ErrorCode, errorCodes } from "../../base/index.ts";
import { narrowingHeaders } from "../openai/narrowing-headers.ts";
import { type Endpoint, endpoints } from "../openai/endpoints.ts";
import { generationRequest } from "./openai-parameters.ts";
import * as shapes from "./openai-shapes.ts";

type Operation = Readonly<Record<string, unknown>>;

const summaries: Record<Endpoint["name"], string> = {
  "chat.completions": "Answers a conversation.",
  completions: "Continues a text.",
  embeddings: "Turns texts into vectors, on upstreams that can.",
  responses: "Answers in OpenAI's Responses shape, on upstreams that have it.",
  messages: "Answers in Anthropic's Messages shape, on upstreams that have it.",
};

const bodies: Record<Endpoint["name"], { readonly request: z.ZodType; readonly answer: z.ZodType }> = {
  "chat.completions": { request: generationRequest("chat.completions"), answer: shapes.chatAnswer },
  completions: { request: generationRequest("completions"), answer: shapes.completionAnswer },
  embeddings: { request: shapes.embeddingsRequest, answer: shapes.embeddingsAnswer },
  responses: { request: shapes.responsesRequest, answer: shapes.responsesAnswer },
  messages: { request: shapes.messagesRequest, answer: shapes.messagesAnswer },
};

/** The paths that the hand-written router and the server answer, as OpenAPI 3.1 describes them. */
export function openaiPaths(): Record<string, Record<string, Operation>> {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) paths[endpoint.path] = { post: modelOperation(endpoint) };
  paths["/v1/models"] = {
    get: reading("listServedModels", "Lists the models that the key may use.", shapes.modelList),
  };
  paths["/v1/models/{model}"] = {
    get: reading("showServedModel", "Shows a model that the key may use.", shapes.servedModel, ["model"]),
  };
  paths["/v1/receipts/{id}"] = {
    get: reading(
      "showReceipt",
      "The receipt of an answer, for keys of the project that asked; the id stands in the answer's `bailiwick-receipt` header.",
      shapes.receiptFile,
      ["id"],
      "Receipts",
    ),
  };
  paths["/v1/receipts/{id}/proof"] = {
    get: {
      ...reading(
        "proveReceipt",
        "The proof that a receipt is in the transparency log.",
        shapes.text,
        ["id"],
        "Receipts",
      ),
      responses: {
        200: { description: "A proof (c2sp.org/tlog-proof).", content: { "text/plain": text } },
        ...refusals([401, 404, 500, 503]),
      },
    },
  };
  paths["/v1/receipts/digest-key"] = {
    get: reading(
      "showDigestKey",
      "The key that the project's digests are salted with, as a JWK: it proves which bytes a receipt speaks of.",
      shapes.jwk,
      [],
      "Receipts",
    ),
  };
  return { ...paths, ...publicPaths() };
}

function publicPaths(): Record<string, Record<string, Operation>> {
  const open = (operationId: string, summary: string, schema: z.ZodType, tag: string): Operation => ({
    operationId,
    summary,
    tags: [tag],
    security: [],
    responses: { 200: json("The answer.", schema) },
  });
  const metrics = {
    operationId: "readMetrics",
    summary: "Metrics in Prometheus's text format; on loopback without a token.",
    tags: ["Operating"],
    security: [{}, { operator: [] }],
    responses: { 200: { description: "Metrics.", content: { "text/plain": { schema: { type: "string" } } } } },
  };
  const logFile = {
    operationId: "readLog",
    summary: "A file of the transparency log; docs/reference/log.md has their paths and forms.",
    tags: ["Receipts"],
    security: [],
    parameters: [{ name: "path", in: "path", required: true, ...text }],
    responses: { 200: { description: "The file.", content: { "application/octet-stream": {} } }, ...refusals([404]) },
  };
  const jurisdiction = {
    operationId: "readJurisdiction",
    summary: "The law that each service's infrastructure is subject to, as a page (Data Act, art. 28).",
    tags: ["Reports"],
    security: [],
    responses: { 200: { description: "The page.", content: { "text/html": { schema: { type: "string" } } } } },
  };
  const notReady = json("Not ready.", shapes.health);
  return {
    "/.well-known/bailiwick/keys": {
      get: open(
        "listPublicKeys",
        "The public keys that receipts verify with, as a JWK set.",
        shapes.jwkSet,
        "Receipts",
      ),
    },
    "/.well-known/bailiwick/log": {
      get: open("aboutLog", "The transparency log's name and verifier keys.", shapes.aboutLog, "Receipts"),
    },
    "/.well-known/bailiwick/jurisdiction": { get: jurisdiction },
    "/.well-known/bailiwick/jurisdiction.json": {
      get: open(
        "showJurisdiction",
        "The same as JSON; docs/reference/reports.md describes it.",
        shapes.jurisdiction,
        "Reports",
      ),
    },
    "/log/{path}": { get: logFile },
    "/healthz": { get: open("checkHealth", "Whether the process answers.", shapes.health, "Operating") },
    "/readyz": {
      get: {
        ...open("checkReadiness", "Whether requests can be answered now.", shapes.health, "Operating"),
        responses: { 200: json("Ready.", shapes.health), 503: notReady },
      },
    },
    "/metrics": { get: metrics },
  };
}

const bodyWords = "Bounds are those of Bailiwick's own engines. An upstream gets the body as it came, and has its own.";

const narrowing = Object.values(narrowingHeaders).map((name) => ({
  name,
  in: "header",
  description: "Narrows where the request may run, and never widens it.",
  schema: { type: "string" },
}));

function modelOperation(endpoint: Endpoint): Operation {
  const { request, answer } = bodies[endpoint.name];
  const streams = endpoint.lastFrames.length > 0;
  const ok = json("The answer; with `stream: true` as server-sent events.", answer);
  return {
    operationId: endpoint.name.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase()),
    summary: summaries[endpoint.name],
    tags: ["Models for tenants"],
    security: [{ tenant: [] }],
    parameters: narrowing,
    requestBody: {
      required: true,
      description: bodyWords,
      content: { "application/json": { schema: schemaOf(request, "input") } },
    },
    responses: {
      200: {
        ...ok,
        headers: answerHeaders,
        content: { ...ok.content, ...(streams ? { "text/event-stream": { schema: { type: "string" } } } : {}) },
      },
      ...refusals([400, 401, 403, 404, 408, 413, 415, 429, 500, 502, 503, 504]),
    },
  };
}

function reading(
  operationId: string,
  summary: string,
  answer: z.ZodType,
  parameters: readonly string[] = [],
  tag = "Models for tenants",
): Operation {
  return {
    operationId,
    summary,
    tags: [tag],
    security: [{ tenant: [] }],
    parameters: parameters.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    responses: { 200: json("The answer.", answer), ...refusals([401, 404, 500, 503]) },
  };
}

const text = { schema: { type: "string" } };
const requestId = { "x-request-id": { description: "The request's id.", ...text } };
const rateHeaders = Object.fromEntries(
  ["requests", "tokens"].flatMap((kind) => [
    [
      `x-ratelimit-limit-${kind}`,
      { description: `The narrowest limit of ${kind} a minute, where one is set.`, ...text },
    ],
    [`x-ratelimit-remaining-${kind}`, { description: "What it still gives.", ...text }],
    [`x-ratelimit-reset-${kind}`, { description: 'When it gives to a request like this one: "1500ms".', ...text }],
  ]),
);
const answerHeaders = {
  ...requestId,
  ...rateHeaders,
  "bailiwick-receipt": { description: "The id of the answer's receipt.", ...text },
  "bailiwick-ignored": { description: "Parameters that the engine lacks and the project's rules ignore.", ...text },
};
const refusalHeaders = {
  ...requestId,
  "retry-after": { description: "Seconds after which trying again can help, where that is known.", ...text },
  "x-should-retry": { description: '"false" where trying again cannot help.', ...text },
};

/** Codes that a status has at the control API alone. */
const operatorsCodes: ReadonlySet<string> = new Set<ErrorCode>(["operator_only", "model_unavailable"]);

/** What a route of /v1 refuses with, a response for each status; `default` is for what stands in no list. */
function refusals(statuses: readonly number[]): Readonly<Record<string, object>> {
  const responses = statuses.map((status) => {
    const codes = Object.entries(errorCodes).filter(
      ([code, entry]) => entry.status === status && !operatorsCodes.has(code),
    );
    const description = codes.map(([code, { next }]) => `\`${code}\`: ${next}`).join("\n\n");
    return [status, refusal(description, status === 429 ? { ...refusalHeaders, ...rateHeaders } : refusalHeaders)];
  });
  return { ...Object.fromEntries(responses), default: refusal("A refusal.", refusalHeaders) };
}

function refusal(description: string, headers: object): object {
  return { description, headers, content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } };
}

/** What the paths refer to. */
export function openaiComponents(): Readonly<Record<string, object>> {
  return { Error: schemaOf(shapes.errorAnswer, "output") };
}

function json(description: string, schema: z.ZodType) {
  return { description, content: { "application/json": { schema: schemaOf(schema, "output") } } };
}

/** OpenAPI 3.1's schemas are JSON Schema 2020-12, whose own identifier the document states once for all. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
