import type { ChatMessage, GenerateRequest, ResponseFormat, ToolDefinition } from "../types.ts";
import type { AnswerPlan } from "./plan.ts";

export interface Question {
  readonly path: "/v1/chat/completions" | "/v1/completions";
  readonly body: Readonly<Record<string, unknown>>;
}

/** An engine's request as the OpenAI API has it, streamed, with the usage as often as the program tells it. */
export function questionOf(
  request: GenerateRequest,
  plan: AnswerPlan,
  program: { readonly model: string; readonly maxTokens: number | undefined; readonly extra: object },
): Question {
  const shared = {
    model: program.model,
    stream: true,
    stream_options: { include_usage: true, continuous_usage_stats: true },
    ...samplingOf(request),
    ...(request.stop.length === 0 ? {} : { stop: request.stop }),
    ...(program.maxTokens === undefined ? {} : { max_tokens: program.maxTokens }),
    ...program.extra,
  };
  const { prompt, topLogprobs } = request;
  if (prompt.kind !== "chat") {
    const text = prompt.kind === "text" ? prompt.text : prompt.tokens;
    const logprobs = topLogprobs === undefined ? {} : { logprobs: topLogprobs };
    return { path: "/v1/completions", body: { ...shared, prompt: text, ...logprobs } };
  }
  const logprobs = topLogprobs === undefined ? {} : { logprobs: true, top_logprobs: topLogprobs };
  const format = formatOf(plan.forced === undefined ? request.responseFormat : callFormat(plan.forced.schema));
  return { path: "/v1/chat/completions", body: { ...shared, ...promptOf(request, plan), ...logprobs, ...format } };
}

/** What of a chat becomes its prompt: also what a program counts a prompt by. */
export function promptOf(request: GenerateRequest, { forced }: AnswerPlan): object {
  const { prompt, tools, toolChoice, parallelToolCalls } = request;
  if (prompt.kind !== "chat") return {};
  const messages = forced === undefined ? prompt.messages : instructed(prompt.messages, forced.instruction);
  if (toolChoice.kind !== "auto" || tools.length === 0) return { messages: messages.map(messageOf) };
  const calls = parallelToolCalls ? {} : { parallel_tool_calls: false };
  return { messages: messages.map(messageOf), tools: tools.map(toolOf), tool_choice: "auto", ...calls };
}

/** All of them are said: what a program assumes without them differs. */
function samplingOf({ sampling }: GenerateRequest): object {
  const { seed } = sampling;
  return {
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    min_p: sampling.minP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    // One thing under two names.
    repetition_penalty: sampling.repeatPenalty,
    repeat_penalty: sampling.repeatPenalty,
    // 31 bits: llama.cpp keeps 32, and takes the highest number of these for none.
    ...(seed === undefined ? {} : { seed: Number(BigInt.asUintN(31, BigInt(seed))) }),
  };
}

function callFormat(schema: object): ResponseFormat {
  return { kind: "json_schema", name: "call", schema: schema as Record<string, unknown> };
}

function formatOf(format: ResponseFormat): object {
  switch (format.kind) {
    case "text":
      return {};
    case "json_object":
      return { response_format: { type: "json_object" } };
    default: {
      const { name, schema } = format;
      return { response_format: { type: "json_schema", json_schema: { name, schema, strict: true } } };
    }
  }
}

function messageOf({ role, content, toolCalls, toolCallId, name }: ChatMessage): object {
  return {
    role,
    content,
    ...(name === undefined ? {} : { name }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    ...(toolCalls === undefined
      ? {}
      : {
          tool_calls: toolCalls.map((call) => ({
            id: call.id,
            type: "function",
            function: { name: call.name, arguments: call.arguments },
          })),
        }),
  };
}

function toolOf({ name, description, parameters }: ToolDefinition): object {
  return {
    type: "function",
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters: parameters ?? { type: "object", properties: {} },
    },
  };
}

/** Many templates take one system message, and take it first only. */
function instructed(messages: readonly ChatMessage[], instruction: string): readonly ChatMessage[] {
  const [first, ...others] = messages;
  if (first?.role !== "system") return [{ role: "system", content: instruction }, ...messages];
  return [{ ...first, content: `${first.content}\n\n${instruction}` }, ...others];
}
