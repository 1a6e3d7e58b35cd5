import type { ChatHistoryItem, ChatModelFunctionCall } from "node-llama-cpp";
import { refuse, type Refusal } from "../../base/index.ts";
import type { ChatMessage, ToolCall } from "../types.ts";

type ModelItem = Extract<ChatHistoryItem, { type: "model" }>;

/** A conversation as the library's templates take it; its last item is the answer that the model goes on with. */
export interface History {
  readonly outcome: "told";
  readonly items: readonly ChatHistoryItem[];
}

/**
 * Tells OpenAI's messages as the library's history: an assistant's texts, calls and their results in a row are one item
 * of the model. A result without its call, or a call whose arguments are not JSON, is refused.
 */
export function historyOf(messages: readonly ChatMessage[]): History | Refusal {
  const items: ChatHistoryItem[] = [];
  const calls = new Map<string, ChatModelFunctionCall>();
  for (const [index, message] of messages.entries()) {
    switch (message.role) {
      case "system":
        items.push({ type: "system", text: message.content });
        break;
      case "user":
        items.push({ type: "user", text: message.content });
        break;
      case "assistant": {
        const refusal = addAssistant(modelItem(items), message, index, calls);
        if (refusal !== undefined) return refusal;
        break;
      }
      case "tool": {
        const call = message.toolCallId === undefined ? undefined : calls.get(message.toolCallId);
        if (call === undefined) {
          const text = "A tool's result follows the assistant message with its call, and names it by `tool_call_id`.";
          return refuse("invalid_request", text, { param: `messages[${index}].tool_call_id` });
        }
        call.result = parsed(message.content) ?? message.content;
        break;
      }
    }
  }
  if (items.at(-1)?.type !== "model") items.push({ type: "model", response: [""] });
  return { outcome: "told", items };
}

function addAssistant(
  item: ModelItem,
  message: ChatMessage,
  index: number,
  calls: Map<string, ChatModelFunctionCall>,
): Refusal | undefined {
  if (message.content !== "") item.response.push(message.content);
  for (const [callIndex, call] of (message.toolCalls ?? []).entries()) {
    const told = functionCall(call, callIndex === 0);
    if (told === undefined) {
      const param = `messages[${index}].tool_calls[${callIndex}].function.arguments`;
      return refuse("invalid_request", "A tool call's arguments must be JSON text.", { param });
    }
    item.response.push(told);
    calls.set(call.id, told);
  }
  return undefined;
}

function functionCall({ name, arguments: text }: ToolCall, startsNewChunk: boolean): ChatModelFunctionCall | undefined {
  const params = text.trim() === "" ? {} : parsed(text);
  if (params === undefined) return undefined;
  return { type: "functionCall", name, params, result: undefined, startsNewChunk };
}

function modelItem(items: ChatHistoryItem[]): ModelItem {
  const last = items.at(-1);
  if (last?.type === "model") return last;
  const item: ModelItem = { type: "model", response: [] };
  items.push(item);
  return item;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A result that is not JSON is text; the caller decides what that means for arguments.
    return undefined;
  }
}
