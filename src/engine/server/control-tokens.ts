import { refuse, type Refusal } from "../../base/index.ts";
import type { GenerateRequest } from "../types.ts";
import { membersOf } from "./control.ts";

type Members = Readonly<Record<string, unknown>>;

/**
 * The control tokens with which a model's template sets turns apart, as texts: those that the template writes, and those
 * that begin and end a text. A model's other ones (SmolLM2's `<filename>`) say nothing of who speaks.
 */
export function turnTokens(tokenizer: Members, config: Members, template: string): readonly string[] {
  const added = [
    ...(Array.isArray(tokenizer["added_tokens"]) ? (tokenizer["added_tokens"] as unknown[]) : []),
    ...Object.values(membersOf(config["added_tokens_decoder"])),
  ].map(membersOf);
  const special = added.flatMap(({ content, special }) =>
    special === true && typeof content === "string" ? content : [],
  );
  const ends = ["bos_token", "eos_token"]
    .map((name) => config[name])
    .map((token) => membersOf(token)["content"] ?? token);
  return [...new Set(special)].filter((text) => text !== "" && (template.includes(text) || ends.includes(text)));
}

/** A program renders a chat as one text and tokenizes it: whose text spells such a token would speak as somebody else. */
export function refuseTurnTokens({ prompt }: GenerateRequest, tokens: readonly string[]): Refusal | undefined {
  if (prompt.kind !== "chat") return undefined;
  for (const [index, { content, name = "", toolCalls = [] }] of prompt.messages.entries()) {
    const texts = [content, name, ...toolCalls.flatMap((call) => [call.name, call.arguments])];
    const found = tokens.find((token) => texts.some((text) => text.includes(token)));
    if (found === undefined) continue;
    const message = `The text holds ${found}, which this model's engine cannot tell from its own mark of a turn.`;
    return refuse("invalid_request", message, { param: `messages[${index}]` });
  }
  return undefined;
}
