import { z } from "zod";
import { type Endpoint, endpoints } from "../openai/endpoints.ts";
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
  "chat.completions": { request: shapes.chatRequest, answer: shapes.chatAnswer },
  completions: { request: shapes.completionRequest, answer: shapes.completionAnswer },
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

function modelOperation(endpoint: Endpoint): Operation {
  const { request, answer } = bodies[endpoint.name];
  const streams = endpoint.lastFrames.length > 0;
  const ok = json("The answer; with `stream: true` as server-sent events.", answer);
  return {
    operationId: endpoint.name.replace(/\.(\w)/, (_, letter: string) => letter.toUpperCase()),
    summary: summaries[endpoint.name],
    tags: ["Models for tenants"],
    security: [{ tenant: [] }],
    requestBody: { required: true, content: { "application/json": { schema: schemaOf(request, "input") } } },
    responses: {
      200: {
        ...ok,
        headers: answerHeaders,
        content: { ...ok.content, ...(streams ? { "text/event-stream": { schema: { type: "string" } } } : {}) },
      },
      default: refused,
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
    responses: { 200: json("The answer.", answer), default: refused },
  };
}

const text = { schema: { type: "string" } };
const answerHeaders = {
  "x-request-id": { description: "The request's id.", ...text },
  "bailiwick-receipt": { description: "The id of the answer's receipt.", ...text },
  "bailiwick-ignored": { description: "Parameters that the engine lacks and the project's rules ignore.", ...text },
};
const refused = json("A refusal; docs/reference/errors.md lists the codes.", shapes.errorAnswer);

function json(description: string, schema: z.ZodType) {
  return { description, content: { "application/json": { schema: schemaOf(schema, "output") } } };
}

/** OpenAPI 3.1's schemas are JSON Schema 2020-12, whose own identifier the document states once for all. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
