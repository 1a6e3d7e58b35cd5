import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";
import { openaiComponents, openaiPaths } from "./openai-paths.ts";

/** The document's frame and the paths of /v1, which Fastify does not serve; the control API's own come from its table. */
export function openapiOptions(version: string): NonNullable<FastifyDynamicSwaggerOptions["openapi"]> {
  return {
    openapi: "3.1.0",
    info: {
      title: "Bailiwick",
      version,
      description:
        "An AI cloud inside its operator's borders. Below /v1: the OpenAI API for tenants, with their keys. Below " +
        "/control/v1: the control API, with the operator's token.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [
      {
        name: "Models for tenants",
        description: "The OpenAI API, and Anthropic's messages on upstreams that have it.",
      },
      { name: "Receipts", description: "A signed statement for every answer, and the keys that verify it offline." },
      { name: "Organisations" },
      { name: "Projects" },
      { name: "Keys" },
      { name: "Usage" },
      { name: "Reservations" },
      { name: "Residency" },
      { name: "Models" },
      { name: "Cloud" },
      { name: "Operators" },
      { name: "Audit" },
      { name: "Stored content" },
      { name: "Support access" },
      { name: "Erasure" },
      { name: "Exit" },
      { name: "Operating", description: "Health, metrics and this document." },
    ],
    components: {
      schemas: openaiComponents(),
      securitySchemes: {
        tenant: { type: "http", scheme: "bearer", description: "A project's key." },
        operator: {
          type: "http",
          scheme: "bearer",
          description:
            "An operator's token: a named operator's, or the first one's, in the data folder's file `operator-token`.",
        },
      },
    },
    paths: openaiPaths(),
  };
}
