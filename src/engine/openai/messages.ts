import { refuse, RefusalError } from "../../base/index.ts";
import type { ChatMessage, ToolCall } from "../types.ts";
import {
  arrayAt,
  invalid,
  type Members,
  membersAt,
  stringAt,
  unknownName,
  type UnsupportedParameters,
} from "./fields.ts";

const commonFields = ["role", "content", "name"];
const fieldsByRole: Readonly<Record<ChatMessage["role"], readonly string[]>> = {
  system: commonFields,
  user: commonFields,
  assistant: [...commonFields, "tool_calls", "refusal"],
  tool: [...commonFields, "tool_call_id"],
};

/** OpenAI's messages as an engine takes them: text only, `developer` as `system`. Throws refusals with the path. */
export function readMessages(value: unknown, unsupported: UnsupportedParameters): readonly ChatMessage[] {
  const messages = arrayAt(value, "messages");
  if (messages.length === 0) invalid("messages", "at least one message is needed.");
  return messages.map((message, index) => {
    const path = `messages[${index}]`;
    return readMessage(membersAt(message, path), path, unsupported);
  });
}

function readMessage(message: Members, path: string, unsupported: UnsupportedParameters): ChatMessage {
  const role = readRole(message["role"], `${path}.role`);
  checkFields(message, role, path, unsupported);
  const toolCalls = role === "assistant" ? readToolCalls(message["tool_calls"], `${path}.tool_calls`) : [];
  const name = message["name"] ?? undefined;
  return {
    role,
    content: readContent(message, role, toolCalls.length > 0, path),
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(role === "tool" ? { toolCallId: stringAt(message["tool_call_id"], `${path}.tool_call_id`) } : {}),
    ...(name === undefined ? {} : { name: stringAt(name, `${path}.name`) }),
  };
}

function readRole(value: unknown, path: string): ChatMessage["role"] {
  switch (value) {
    case "developer":
      return "system";
    case "system":
    case "user":
    case "assistant":
    case "tool":
      return value;
    default:
      return invalid(path, "expected system, developer, user, assistant or tool.");
  }
}

/** Answers are sent back as they came, so that empty fields of an earlier answer (`audio: null`) pass. */
function checkFields(
  message: Members,
  role: ChatMessage["role"],
  path: string,
  unsupported: UnsupportedParameters,
): void {
  for (const [name, value] of Object.entries(message)) {
    if (value === null || fieldsByRole[role].includes(name)) continue;
    if (Array.isArray(value) && value.length === 0) continue;
    unsupported.report(`${path}.${name}`, unknownName(`${path}.${name}`, []));
  }
}

function readContent(message: Members, role: ChatMessage["role"], hasToolCalls: boolean, path: string): string {
  const content = message["content"];
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return content.map((part, index) => readPart(part, `${path}.content[${index}]`)).join("");
  }
  if (content !== undefined && content !== null) invalid(`${path}.content`, "expected a string or an array of parts.");
  const refusal = message["refusal"] ?? undefined;
  if (refusal !== undefined) return stringAt(refusal, `${path}.refusal`);
  if (role === "assistant" && hasToolCalls) return "";
  return invalid(`${path}.content`, "a string or an array of text parts is needed.");
}

function readPart(value: unknown, path: string): string {
  const part = membersAt(value, path);
  switch (part["type"]) {
    case "text":
      return stringAt(part["text"], `${path}.text`);
    case "refusal":
      return stringAt(part["refusal"], `${path}.refusal`);
    case "image_url":
    case "input_audio":
    case "file": {
      // Not a parameter to leave out with a warning: without it another question would be answered.
      const message = `${path}: content of type ${part["type"]} is not supported; send text.`;
      throw new RefusalError(refuse("unsupported_parameter", message, { param: path }));
    }
    default:
      return invalid(`${path}.type`, "expected text.");
  }
}

function readToolCalls(value: unknown, path: string): readonly ToolCall[] {
  if (value === undefined || value === null) return [];
  return arrayAt(value, path).map((item, index) => {
    const call = membersAt(item, `${path}[${index}]`);
    if (call["type"] !== undefined && call["type"] !== "function")
      invalid(`${path}[${index}].type`, "expected function.");
    const called = membersAt(call["function"], `${path}[${index}].function`);
    return {
      id: stringAt(call["id"], `${path}[${index}].id`),
      name: stringAt(called["name"], `${path}[${index}].function.name`),
      arguments: stringAt(called["arguments"], `${path}[${index}].function.arguments`),
    };
  });
}
