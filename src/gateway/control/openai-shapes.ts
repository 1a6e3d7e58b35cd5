import { z } from "zod";
import { serviceTiers } from "../openai/service-tier.ts";

// The members of /v1's bodies that matter, for the OpenAPI document only: the gateway forwards bodies as they came, and
// what an engine does not know is refused there by name. What engines of ours take stands in openai-parameters.ts.

export const text = z.string();
const model = text;
const anything = z.record(z.string(), z.unknown());

const usage = z.looseObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.looseObject({ cached_tokens: z.int() }).optional(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: z.int() }).optional(),
});

export const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: z.union([text, z.array(anything), z.null()]).optional(),
  tool_calls: z.array(anything).optional(),
  tool_call_id: text.optional(),
});

const servedTier = z
  .string()
  .optional()
  .meta({ description: "The tier that it had (priority, default, flex), where `service_tier` was asked for." });
const created = { id: text, created: z.int(), model: text, service_tier: servedTier };
const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]).nullable();

export const chatAnswer = z.looseObject({
  ...created,
  object: z.literal("chat.completion"),
  choices: z.array(z.looseObject({ index: z.int(), message, finish_reason: finishReason })),
  usage,
});

export const completionAnswer = z.looseObject({
  ...created,
  object: z.literal("text_completion"),
  choices: z.array(z.looseObject({ index: z.int(), text, finish_reason: finishReason })),
  usage,
});

export const embeddingsRequest = z.looseObject({
  model,
  input: z.union([text, z.array(text), z.array(z.int()), z.array(z.array(z.int()))]),
  encoding_format: z.enum(["float", "base64"]).optional(),
  dimensions: z.int().min(1).optional(),
});

export const embeddingsAnswer = z.looseObject({
  object: z.literal("list"),
  model: text,
  data: z.array(z.looseObject({ index: z.int(), embedding: z.union([z.array(z.number()), text]) })),
  usage: z.looseObject({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

export const responsesRequest = z.looseObject({
  model,
  input: z.union([text, z.array(anything)]),
  max_output_tokens: z.int().min(1).optional(),
  service_tier: z.enum(serviceTiers).nullish().meta({ description: 'Whose turn it is; "flex" waits for others.' }),
  stream: z.boolean().optional(),
});

export const responsesAnswer = z.looseObject({
  id: text,
  object: z.literal("response"),
  status: text,
  model: text,
  output: z.array(anything),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
});

export const messagesRequest = z.looseObject({
  model,
  messages: z.array(anything).min(1),
  max_tokens: z.int().min(1),
  stream: z.boolean().optional(),
});

export const messagesAnswer = z.looseObject({
  id: text,
  type: z.literal("message"),
  role: z.literal("assistant"),
  model: text,
  content: z.array(anything),
  stop_reason: text.nullable(),
  usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
});

export const servedModel = z.looseObject({
  id: text,
  object: z.literal("model"),
  created: z.int(),
  owned_by: text,
});
export const modelList = z.object({ object: z.literal("list"), data: z.array(servedModel) });

export const receiptFile = anything.meta({
  description: "A signed statement; docs/reference/receipt.md has its form.",
});
export const jwk = z.looseObject({ kty: text, kid: text.optional() });
export const jwkSet = z.looseObject({ keys: z.array(jwk) });
export const aboutLog = z.looseObject({
  origin: text,
  url: text,
  keys: z.array(text),
  keyStatement: z.int().nullable(),
  ended: z.array(text),
});
/** As docs/reference/reports.md describes it. */
export const jurisdiction = z.looseObject({ report: z.literal("jurisdiction") });
export const health = z.looseObject({ status: text.optional() });

/** docs/reference/errors.md has its codes. */
export const errorAnswer = z.object({
  error: z.looseObject({
    message: text,
    type: text,
    param: text.nullable().meta({ description: "The field at fault, as a path: messages[2].role." }),
    code: text,
    next: text.meta({ description: "What to do about it." }),
    retry: z.boolean().meta({ description: "Whether trying again can help." }),
    retry_after: z.int().optional().meta({
      description: "In a stream's event, which has no header of that name: seconds after which trying again can help.",
    }),
    reasons: z.array(text).optional().meta({ description: "Each candidate's, where a choice among several failed." }),
  }),
});
