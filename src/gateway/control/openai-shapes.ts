import { z } from "zod";

// The members of /v1's bodies that matter, for the OpenAPI document only: the gateway forwards bodies as they came, and
// what an engine does not know is refused there by name.

const text = z.string();
const model = text.meta({ description: "A model's name, as GET /v1/models lists them." });
const anything = z.record(z.string(), z.unknown());

const sampling = {
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  min_p: z.number().min(0).max(1).optional(),
  seed: z.int().optional(),
  frequency_penalty: z.number().min(-2).max(2).optional(),
  presence_penalty: z.number().min(-2).max(2).optional(),
  stop: z.union([text, z.array(text).max(4)]).optional(),
  n: z.int().min(1).max(128).optional(),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).optional(),
};

const usage = z.looseObject({
  prompt_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  prompt_tokens_details: z.looseObject({ cached_tokens: z.int() }).optional(),
  completion_tokens_details: z.looseObject({ reasoning_tokens: z.int() }).optional(),
});

const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: z.union([text, z.array(anything), z.null()]).optional(),
  tool_calls: z.array(anything).optional(),
  tool_call_id: text.optional(),
});

export const chatRequest = z.looseObject({
  model,
  messages: z.array(message).min(1),
  max_tokens: z.int().min(1).optional(),
  max_completion_tokens: z.int().min(1).optional(),
  ...sampling,
  logprobs: z.boolean().optional(),
  top_logprobs: z.int().min(0).max(20).optional(),
  response_format: z
    .looseObject({ type: z.enum(["text", "json_object", "json_schema"]), json_schema: anything.optional() })
    .optional(),
  tools: z.array(anything).optional(),
  tool_choice: z.union([z.enum(["none", "auto", "required"]), anything]).optional(),
});

const created = { id: text, created: z.int(), model: text };
const finishReason = z.enum(["stop", "length", "tool_calls", "content_filter"]).nullable();

export const chatAnswer = z.looseObject({
  ...created,
  object: z.literal("chat.completion"),
  choices: z.array(z.looseObject({ index: z.int(), message, finish_reason: finishReason })),
  usage,
});

export const completionRequest = z.looseObject({
  model,
  prompt: z.union([text, z.array(text), z.array(z.int())]),
  max_tokens: z.int().min(1).optional(),
  ...sampling,
  logprobs: z.int().min(0).max(20).optional(),
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
export const health = z.looseObject({ status: text.optional() });

export const errorAnswer = z.object({
  error: z.looseObject({
    message: text,
    type: text,
    param: text.nullable(),
    code: text,
    next: text.meta({ description: "What to do about it." }),
    retry: z.boolean().meta({ description: "Whether trying again can help." }),
    reasons: z.array(text).optional(),
  }),
});
