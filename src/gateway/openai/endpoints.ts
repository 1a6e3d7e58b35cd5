import { answerForm, anthropicUsage, openaiUsage, type ReadUsage, responsesUsage } from "../../meaning/index.ts";

/** The endpoints of /v1 that run a model. Each is a row of the table below; nothing else knows one from another. */
export type EndpointName = "chat.completions" | "completions" | "embeddings" | "responses" | "messages";

/** A JSON object whose members are not known. */
export type Json = Readonly<Record<string, unknown>>;

export interface Endpoint {
  readonly name: EndpointName;
  readonly path: string;
  readonly action: "infer" | "embed";
  /** Request fields that bound the answer's tokens, the first that is set counts; none: nothing is generated. */
  readonly maxTokensFields: readonly string[];
  /** Whether the request may ask for a tier with OpenAI's `service_tier`; elsewhere that field is none of ours. */
  readonly hasServiceTier: boolean;
  /** Whether `stream_options.include_usage` brings the usage into the stream (OpenAI's older endpoints). */
  readonly usageOnRequest: boolean;
  /** Whether the answer names its end as `finish_reason` (OpenAI), `status` (responses) or `stop_reason` (messages). */
  readonly endingField: "finish_reason" | "status" | "stop_reason" | undefined;
  /** How a stream of this endpoint says that it is complete: the text that its last frame holds. */
  readonly lastFrames: readonly string[];
  /** Where the usage stands in an answer, and in a stream's event; nowhere else is one believed. */
  readonly usageAt: (value: Json) => unknown;
  /** Where an answer, and a stream's event, names its end. */
  readonly endingAt: (value: Json) => unknown;
  /** Reads a usage object of this endpoint's answers; undefined where it holds no counts. */
  readonly usage: ReadUsage;
}

const topUsage = (value: Json): unknown => value["usage"];

/** The last choice's that has one. */
function finishReason({ choices }: Json): unknown {
  if (!Array.isArray(choices)) return undefined;
  return choices.map((choice: unknown) => record(choice)["finish_reason"]).findLast((reason) => reason != null);
}

const lastFramesOf = (name: EndpointName): readonly string[] => answerForm(name)!.lastFrames;

export const endpoints: readonly Endpoint[] = [
  {
    name: "chat.completions",
    path: "/v1/chat/completions",
    action: "infer",
    maxTokensFields: ["max_completion_tokens", "max_tokens"],
    hasServiceTier: true,
    usageOnRequest: true,
    endingField: "finish_reason",
    lastFrames: lastFramesOf("chat.completions"),
    usageAt: topUsage,
    endingAt: finishReason,
    usage: openaiUsage,
  },
  {
    name: "completions",
    path: "/v1/completions",
    action: "infer",
    maxTokensFields: ["max_tokens"],
    hasServiceTier: true,
    usageOnRequest: true,
    endingField: "finish_reason",
    lastFrames: lastFramesOf("completions"),
    usageAt: topUsage,
    endingAt: finishReason,
    usage: openaiUsage,
  },
  {
    name: "embeddings",
    path: "/v1/embeddings",
    action: "embed",
    maxTokensFields: [],
    hasServiceTier: false,
    usageOnRequest: false,
    endingField: undefined,
    lastFrames: lastFramesOf("embeddings"),
    usageAt: topUsage,
    endingAt: () => undefined,
    usage: openaiUsage,
  },
  {
    name: "responses",
    path: "/v1/responses",
    action: "infer",
    maxTokensFields: ["max_output_tokens"],
    hasServiceTier: true,
    usageOnRequest: false,
    endingField: "status",
    lastFrames: lastFramesOf("responses"),
    usageAt: (value) => record(value["response"])["usage"] ?? value["usage"],
    endingAt: (value) => record(value["response"])["status"] ?? value["status"],
    usage: responsesUsage,
  },
  {
    name: "messages",
    path: "/v1/messages",
    action: "infer",
    maxTokensFields: ["max_tokens"],
    hasServiceTier: false,
    usageOnRequest: false,
    endingField: "stop_reason",
    lastFrames: lastFramesOf("messages"),
    usageAt: (value) => record(value["message"])["usage"] ?? value["usage"],
    endingAt: (value) => record(value["delta"])["stop_reason"] ?? value["stop_reason"],
    usage: anthropicUsage,
  },
];

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
