import { z } from "zod";
import { modelEntrySchema } from "../catalog/index.ts";
import { environmentName, milliseconds, quantity, shortName, site } from "./value-schema.ts";

/** A model's name, as requests use it. Upstreams' own names may hold slashes and colons. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}$/, "1 to 200 letters, digits and . _ : / @ + -");

const { shape: entryShape } = modelEntrySchema;

/** The catalogue's own entry, field by field, with what the reference says of each. */
const entryFields = {
  name: entryShape.name.describe("The name that requests use."),
  family: entryShape.family.describe("The family, such as Qwen3."),
  developer: z
    .strictObject({
      name: entryShape.developer.shape.name.describe("Who made the model."),
      country: entryShape.developer.shape.country.describe("Where they are, as an ISO 3166-1 code."),
    } satisfies Record<keyof typeof entryShape.developer.shape, z.ZodType>)
    .describe("Who made it, and where they are."),
  licence: z
    .strictObject({
      spdx: entryShape.licence.shape.spdx.describe("SPDX identifier, or LicenseRef- and a name."),
      url: entryShape.licence.shape.url.describe("Where its text stands."),
      clause: entryShape.licence.shape.clause.describe("The clause that forbids a use, where one does."),
    } satisfies Record<keyof typeof entryShape.licence.shape, z.ZodType>)
    .describe("Its licence."),
  kind: entryShape.kind.describe(
    "Trained for conversations (chat), or to complete text, without a chat template (base).",
  ),
  contextTokens: entryShape.contextTokens.describe("Tokens of context that it was trained for."),
  sizeBytes: entryShape.sizeBytes.describe("The size of the file, or of the folder's files."),
  sha256: entryShape.sha256.describe(
    "The SHA-256 of the file or folder; left out: recorded at the first pull, shown as unverified.",
  ),
  sources: entryShape.sources.describe(
    "Where the file comes from, tried in order: file:, hf:, pypi:; or the folder, as file:.",
  ),
} satisfies Record<keyof typeof entryShape, z.ZodType>;

export const catalogueEntry = z.strictObject(entryFields);

const upstreamEndpoints = ["chat.completions", "completions", "embeddings", "responses", "messages"] as const;

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
  endpoints: z.array(z.enum(upstreamEndpoints)).min(1).optional().describe("What it can do; left out: it is asked."),
  connectTimeoutMs: milliseconds(10, 600_000).default(5000).describe("Time to connect."),
  firstByteTimeoutMs: milliseconds(10, 3_600_000).default(120_000).describe("Time until its answer begins."),
  idleTimeoutMs: milliseconds(10, 3_600_000).default(60_000).describe("Longest silence within an answer."),
  cacheSalt: z
    .boolean()
    .default(false)
    .describe("Send a cache_salt for each project, so that no two share a prefix cache (vLLM has it)."),
});
