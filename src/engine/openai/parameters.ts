/** The two endpoints that an engine of ours answers. */
export type GenerationEndpoint = "chat.completions" | "completions";

/**
 * How a parameter is treated. `supported`: it does what OpenAI's reference says. `no_effect`: accepted, because it
 * changes nothing in the answer. `refused`: it would change the answer and is not supported, so that a request with it
 * is refused by name (or, where the project says `unsupported: warn`, answered with its name in a header).
 */
export type Treatment = "supported" | "no_effect" | "refused";

export interface Parameter {
  readonly name: string;
  readonly endpoints: readonly GenerationEndpoint[];
  readonly treatment: Treatment;
  /** The values that are taken, for the reference. */
  readonly values: string;
  /** What it does here, or why it is refused, and what to do instead. */
  readonly note: string;
  /** The JSON type of a parameter without effect: a wrong one is a mistake all the same. */
  readonly type?: "string" | "object";
  /** The value of a refused parameter that is as good as leaving it out; null always is. */
  readonly neutral?: (value: unknown) => boolean;
}

const both: readonly GenerationEndpoint[] = ["chat.completions", "completions"];
const chat: readonly GenerationEndpoint[] = ["chat.completions"];
const text: readonly GenerationEndpoint[] = ["completions"];

const is =
  (neutral: unknown) =>
  (value: unknown): boolean =>
    value === neutral;

const isEmptyObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;

const isTextOnly = (value: unknown): boolean => Array.isArray(value) && value.every((item) => item === "text");

const supported = (
  name: string,
  endpoints: readonly GenerationEndpoint[],
  values: string,
  note: string,
): Parameter => ({ name, endpoints, treatment: "supported", values, note });

const noEffect = (
  name: string,
  endpoints: readonly GenerationEndpoint[],
  type: "string" | "object",
  note: string,
): Parameter => ({ name, endpoints, treatment: "no_effect", values: type, note, type });

const refused = (
  name: string,
  endpoints: readonly GenerationEndpoint[],
  note: string,
  values = "",
  neutral?: (value: unknown) => boolean,
): Parameter => ({
  name,
  endpoints,
  treatment: "refused",
  values,
  note,
  ...(neutral === undefined ? {} : { neutral }),
});

/**
 * Every parameter of OpenAI's chat completions and completions (openai-node 7.57), and the few beyond them that engines
 * of open models share. docs/reference/parameters.md is held against this table by a test.
 */
export const parameters: readonly Parameter[] = [
  supported("model", both, "string", "A name that `GET /v1/models` lists."),
  supported("messages", chat, "array", "Roles system, developer (as system), user, assistant, tool. Content: text."),
  supported("prompt", text, "string, tokens, or up to 32 of them", "Each prompt is answered `n` times."),
  supported("stream", both, "boolean", "Server-sent events."),
  supported("stream_options", both, "{include_usage, include_obfuscation: false}", "Only with `stream: true`."),
  supported(
    "n",
    both,
    "1 to 8",
    "Input tokens are counted once, output tokens summed; a seed is raised by one a choice.",
  ),
  supported(
    "max_completion_tokens",
    chat,
    "1 or more",
    "Tokens of the answer; without it, as many as the context leaves.",
  ),
  supported("max_tokens", both, "1 or more", "The older name; completions take 16 without it, as OpenAI does."),
  supported("temperature", both, "0 to 2", "0 is greedy; 1 without it."),
  supported("top_p", both, "above 0, to 1", "1 without it."),
  supported("top_k", both, "-1 or more", "0 and -1 leave it off. Beyond OpenAI."),
  supported("min_p", both, "0 to 1", "0 leaves it off. Beyond OpenAI."),
  supported("seed", both, "integer", "The same seed gives the same answer on the same engine build and device."),
  supported("stop", both, "string, or up to 4 of 1,024 characters", "The answer ends before the first that appears."),
  supported("frequency_penalty", both, "-2 to 2", "0 without it."),
  supported("presence_penalty", both, "-2 to 2", "0 without it."),
  supported("repetition_penalty", both, "above 0, to 2", "1 leaves it off. Beyond OpenAI."),
  supported("repeat_penalty", both, "above 0, to 2", "Another name of `repetition_penalty`. Beyond OpenAI."),
  supported("logprobs", both, "boolean; completions: 0 to 5", "Of the distribution before temperature and truncation."),
  supported("top_logprobs", chat, "0 to 20", "Only with `logprobs: true`."),
  supported(
    "tools",
    chat,
    "up to 128 functions",
    "Arguments match their schema; one that cannot be enforced is refused.",
  ),
  supported(
    "tool_choice",
    chat,
    "none, auto, required, a named function",
    "`allowed_tools` and custom tools are refused.",
  ),
  supported("parallel_tool_calls", chat, "boolean", "true without it."),
  supported(
    "service_tier",
    both,
    "auto, default, flex, priority",
    "With the project's tier it decides whose turn it is; the answer says which tier it had.",
  ),
  supported("response_format", chat, "text, json_object, json_schema", "A schema that cannot be enforced is refused."),

  noEffect("user", both, "string", "An identifier for the caller's own use; not kept."),
  noEffect("metadata", chat, "object", "Only stored completions carry it; nothing is stored."),
  noEffect("safety_identifier", chat, "string", "An identifier for the caller's own use; not kept."),
  noEffect("prompt_cache_key", chat, "string", "Prompt caches belong to the project."),
  noEffect("prompt_cache_options", chat, "object", "Prompt caches belong to the project."),
  noEffect("prompt_cache_retention", chat, "string", "Prompt caches belong to the project."),

  refused("store", chat, "Prompts and answers are kept nowhere.", "false", is(false)),
  refused("audio", chat, "Answers are text."),
  refused("modalities", chat, "Answers are text.", '["text"]', isTextOnly),
  refused(
    "functions",
    chat,
    "The older form of `tools`: use that.",
    "[]",
    (value) => Array.isArray(value) && value.length === 0,
  ),
  refused("function_call", chat, "The older form of `tool_choice`: use that.", '"none"', is("none")),
  refused("logit_bias", both, "Token biases are not applied.", "{}", isEmptyObject),
  refused("moderation", chat, "No moderation model runs beside the answer."),
  refused("prediction", chat, "Predicted outputs are not used."),
  refused("reasoning_effort", chat, "Models run with their template's own default."),
  refused("verbosity", chat, "Ask for it in the prompt.", '"medium"', is("medium")),
  refused("web_search_options", chat, "Answers come from the model alone."),
  refused("best_of", text, "Only the answers asked for by `n` are computed.", "1", is(1)),
  refused("echo", text, "The prompt is not repeated.", "false", is(false)),
  refused("suffix", text, "Nothing is inserted before a suffix.", '""', is("")),
];

const byEndpoint: Readonly<Record<GenerationEndpoint, ReadonlyMap<string, Parameter>>> = {
  "chat.completions": tableOf("chat.completions"),
  completions: tableOf("completions"),
};

function tableOf(endpoint: GenerationEndpoint): ReadonlyMap<string, Parameter> {
  return new Map(
    parameters
      .filter((parameter) => parameter.endpoints.includes(endpoint))
      .map((parameter) => [parameter.name, parameter]),
  );
}

export function parametersOf(endpoint: GenerationEndpoint): ReadonlyMap<string, Parameter> {
  return byEndpoint[endpoint];
}
