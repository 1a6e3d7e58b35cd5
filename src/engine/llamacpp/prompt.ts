import {
  type ChatModelFunctions,
  type ChatWrapper,
  isLlamaText,
  JinjaTemplateChatWrapper,
  type LlamaModel,
  LlamaText,
  resolveChatWrapper,
  type Token,
} from "node-llama-cpp";
import { refuse, type Refusal } from "../../base/index.ts";
import type { GenerateRequest, ToolDefinition } from "../types.ts";
import { type CallFormat, callFormatOf } from "./call-format.ts";
import { historyOf } from "./history.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** The tool that the answer must call, or a choice among several; undefined: the model is free. */
export type ForcedTools = readonly ToolDefinition[] | undefined;

export interface Prompt {
  readonly outcome: "prompt";
  readonly tokens: readonly Token[];
}

/**
 * Turns a request into tokens. A template's own parts may become control tokens, a message's text never does: the
 * library renders the template around placeholders and tokenizes each message by itself. What templates write out as
 * JSON (tools, past calls) goes through no placeholder, so that a control token's text in there is refused.
 */
export class PromptWriter {
  readonly format: CallFormat;
  /** The texts around a model's reasoning, where its template has them. */
  readonly reasoning: ReasoningMarks | undefined;
  /** Control tokens that its template writes tool calls with. */
  readonly callTokens: ReadonlySet<Token>;
  readonly #model: LlamaModel;
  readonly #vocabulary: Vocabulary;
  readonly #wrapper: ChatWrapper;

  constructor(model: LlamaModel, vocabulary: Vocabulary) {
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#wrapper = wrapperOf(model);
    this.format = callFormatOf(this.#wrapper);
    this.reasoning = reasoningOf(this.#wrapper);
    const written = [...this.format.openings, this.format.afterName("f"), this.format.afterArguments("f")];
    this.callTokens = new Set(written.flatMap((text) => model.tokenize(text, true)));
  }

  write(request: GenerateRequest, forced: ForcedTools): Prompt | Refusal {
    const { prompt } = request;
    if (prompt.kind === "tokens") return this.#given(prompt.tokens);
    if (prompt.kind === "chat") return this.#chat(prompt.messages, request, forced);
    return { outcome: "prompt", tokens: this.#withBeginning(this.#model.tokenize(prompt.text, false)) };
  }

  #given(tokens: readonly number[]): Prompt | Refusal {
    const foreign = tokens.findIndex((token) => !this.#vocabulary.has(token));
    if (foreign >= 0) {
      const range = `0 to ${this.#vocabulary.size - 1}`;
      const message = `Token ${tokens[foreign]} is not in the model's vocabulary (${range}).`;
      return refuse("invalid_request", message, { param: `prompt[${foreign}]` });
    }
    return { outcome: "prompt", tokens: this.#withBeginning(tokens as readonly Token[]) };
  }

  #chat(
    messages: Extract<GenerateRequest["prompt"], { kind: "chat" }>["messages"],
    { tools, toolChoice }: GenerateRequest,
    forced: ForcedTools,
  ): Prompt | Refusal {
    const history = historyOf(messages);
    if (history.outcome === "refused") return history;
    const described = toolChoice.kind === "none" ? [] : tools;
    const control = this.#controlTextIn([described, messages.map(({ toolCalls }) => toolCalls)]);
    if (control !== undefined) {
      const message = `Tools and tool calls must not contain the model's control token ${JSON.stringify(control)}.`;
      return refuse("invalid_request", message, { param: "tools" });
    }
    let text: LlamaText;
    try {
      text = this.#wrapper.generateContextState({
        chatHistory: history.items,
        ...(described.length === 0 ? {} : { availableFunctions: functionsOf(described), documentFunctionParams: true }),
      }).contextText;
    } catch (error) {
      // A template says in its own words which order of roles it cannot tell.
      const reason = error instanceof Error ? error.message : String(error);
      return refuse("invalid_request", `The model's chat template refuses these messages: ${reason}`, {
        param: "messages",
      });
    }
    if (forced !== undefined) text = LlamaText([text, this.#forcedOpening(forced)]);
    return { outcome: "prompt", tokens: this.#withBeginning(text.tokenize(this.#model.tokenizer)) };
  }

  #forcedOpening(forced: readonly ToolDefinition[]): LlamaText {
    const only = forced.length === 1 ? forced[0]!.name : undefined;
    return LlamaText(
      only === undefined ? [this.format.forced] : [this.format.forced, only, this.format.afterName(only)],
    );
  }

  /** Models that are to see a beginning-of-sequence token get one, where the template has not put it there. */
  #withBeginning(tokens: readonly Token[]): readonly Token[] {
    const { bos, shouldPrependBosToken } = this.#model.tokens;
    const needsIt = bos !== null && (shouldPrependBosToken ? tokens[0] !== bos : tokens.length === 0);
    return needsIt ? [bos, ...tokens] : tokens;
  }

  #controlTextIn(value: unknown): string | undefined {
    for (const text of stringsIn(value)) {
      const control = this.#model.tokenize(text, true).find((token) => this.#vocabulary.piece(token).isControl);
      if (control !== undefined) return this.#vocabulary.piece(control).bytes.toString();
    }
    return undefined;
  }
}

export interface ReasoningMarks {
  readonly opening: string;
  readonly closing: string;
}

/** The model's own template, and only where it has none that works, the one that its name suggests. */
function wrapperOf(model: LlamaModel): ChatWrapper {
  const template = model.fileInfo.metadata.tokenizer.chat_template;
  if (template !== undefined && template.trim() !== "") {
    try {
      return new JinjaTemplateChatWrapper({ template, tokenizer: model.tokenizer });
    } catch {
      // The template does not render a plain conversation: the library's choice for the model's family stands in.
      return resolveChatWrapper(model, { noJinja: true, warningLogs: false });
    }
  }
  return resolveChatWrapper(model, { warningLogs: false });
}

function reasoningOf(wrapper: ChatWrapper): ReasoningMarks | undefined {
  const thought = wrapper.settings.segments?.thought;
  if (thought?.suffix === undefined) return undefined;
  const { prefix, suffix } = thought;
  // Without an opening of its own the template opens the reasoning itself, at the prompt's end.
  const opening = typeof prefix === "string" || isLlamaText(prefix) ? String(prefix).trim() : "";
  return { opening, closing: String(suffix).trim() };
}

function functionsOf(tools: readonly ToolDefinition[]): ChatModelFunctions {
  return Object.fromEntries(
    tools.map(({ name, description, parameters }) => [
      name,
      {
        ...(description === undefined ? {} : { description }),
        // The library's type is the part of JSON Schema that its own grammar knows; here it is only written out.
        ...(parameters === undefined ? {} : { params: parameters as ChatModelFunctions[string]["params"] & object }),
      },
    ]),
  );
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === "string") yield value;
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield key;
      yield* stringsIn(inner);
    }
  }
}
