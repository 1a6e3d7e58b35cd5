import { z } from "zod";
import { type GenerationEndpoint, type Parameter, parameters } from "../../engine/openai/index.ts";
import { serviceTiers } from "../openai/service-tier.ts";
import { message } from "./openai-shapes.ts";

// The parameters of the two endpoints that engines of ours answer, for the OpenAPI document: names, treatment and words
// come from the engine's own table; a test holds the shapes below against the reader that refuses what they do not allow.

const text = z.string();
const object = z.looseObject({});
const count = z.int().min(1);
const penalty = z.number().min(-2).max(2);
const repetition = z.number().gt(0).max(2);
const stop = text.min(1).max(1_024);
const functionName = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/);
const tokens = z.array(z.int().min(0)).min(1);

const schemaFormat = z.looseObject({
  type: z.literal("json_schema"),
  json_schema: z.looseObject({ name: functionName, schema: object }),
});
const tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: functionName,
    description: text.nullish(),
    parameters: object.nullish().meta({ description: "JSON Schema." }),
  }),
});
const namedFunction = z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: functionName }) });

/** What a parameter that is taken may be, where its type does not say it; null is as good as leaving it out where `required` does not name it. */
const shapes: Readonly<Record<string, z.ZodType>> = {
  model: text.min(1).max(256),
  messages: z.array(message).min(1),
  prompt: z.union([
    text,
    tokens,
    z
      .array(z.union([text, tokens]))
      .min(1)
      .max(32),
  ]),
  stream: z.boolean(),
  stream_options: z.looseObject({
    include_usage: z.boolean().nullish(),
    include_obfuscation: z.literal(false).nullish(),
  }),
  n: count.max(8),
  max_completion_tokens: count.max(2 ** 31),
  max_tokens: count.max(2 ** 31),
  temperature: z.number().min(0).max(2),
  top_p: z.number().gt(0).max(1),
  top_k: z.int().min(-1),
  min_p: z.number().min(0).max(1),
  seed: z.int(),
  stop: z.union([stop, z.array(stop).max(4)]),
  frequency_penalty: penalty,
  presence_penalty: penalty,
  repetition_penalty: repetition,
  repeat_penalty: repetition,
  top_logprobs: z.int().min(0).max(20),
  tools: z.array(tool).max(128),
  tool_choice: z.union([z.enum(["none", "auto", "required"]), namedFunction]),
  parallel_tool_calls: z.boolean(),
  service_tier: z.enum(serviceTiers),
  response_format: z.union([z.looseObject({ type: z.enum(["text", "json_object"]) }), schemaFormat]),
};
const logprobs: Readonly<Record<GenerationEndpoint, z.ZodType>> = {
  "chat.completions": z.boolean(),
  completions: z.int().min(0).max(5),
};
const required = new Set(["model", "messages", "prompt"]);

/** The body of an endpoint. Members that are not listed pass: an upstream may know them. */
export function generationRequest(endpoint: GenerationEndpoint): z.ZodType {
  const own = parameters.filter(({ endpoints }) => endpoints.includes(endpoint));
  return z.looseObject(Object.fromEntries(own.map((each) => [each.name, shapeOf(each, endpoint)])));
}

function shapeOf({ name, treatment, note, type }: Parameter, endpoint: GenerationEndpoint): z.ZodType {
  if (treatment === "refused") {
    const description = `Engines of Bailiwick's own refuse it. ${note}`;
    return z.unknown().optional().meta({ description });
  }
  if (treatment === "no_effect") {
    const shape = shapes[name] ?? (type === "object" ? object : text);
    return shape.nullish().meta({ description: `Changes nothing in the answer. ${note}` });
  }
  const shape = name === "logprobs" ? logprobs[endpoint] : shapes[name];
  if (shape === undefined) throw new Error(`the parameter ${name} has no shape`);
  return (required.has(name) ? shape : shape.nullish()).meta({ description: note });
}
