import type { ResponseFormat, ToolChoice, ToolDefinition } from "../types.ts";
import {
  arrayAt,
  invalid,
  isMembers,
  membersAt,
  type Members,
  stringAt,
  type UnsupportedParameters,
} from "./fields.ts";

const maxTools = 128;
const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;

export function readTools(body: Members, unsupported: UnsupportedParameters): readonly ToolDefinition[] {
  const value = body["tools"];
  if (value === undefined || value === null) return [];
  const items = arrayAt(value, "tools");
  if (items.length > maxTools) invalid("tools", `at most ${maxTools} tools, not ${items.length}.`);
  const tools: ToolDefinition[] = [];
  for (const [index, item] of items.entries()) {
    const tool = readTool(membersAt(item, `tools[${index}]`), `tools[${index}]`, unsupported);
    if (tool === undefined) continue;
    if (tools.some(({ name }) => name === tool.name))
      invalid(`tools[${index}].function.name`, "each tool needs a name of its own.");
    tools.push(tool);
  }
  return tools;
}

function readTool(tool: Members, path: string, unsupported: UnsupportedParameters): ToolDefinition | undefined {
  if (tool["type"] !== "function") {
    if (typeof tool["type"] !== "string") invalid(`${path}.type`, "expected function.");
    unsupported.report(`${path}.type`, `${path}: only tools of type function are supported.`);
    return undefined;
  }
  const definition = membersAt(tool["function"], `${path}.function`);
  const name = stringAt(definition["name"], `${path}.function.name`);
  if (!namePattern.test(name)) invalid(`${path}.function.name`, "expected 1 to 64 of a-z, A-Z, 0-9, _ and -.");
  const { description, parameters } = definition;
  return {
    name,
    description:
      description === undefined || description === null
        ? undefined
        : stringAt(description, `${path}.function.description`),
    parameters:
      parameters === undefined || parameters === null
        ? undefined
        : membersAt(parameters, `${path}.function.parameters`),
  };
}

export function readToolChoice(
  value: unknown,
  tools: readonly ToolDefinition[],
  unsupported: UnsupportedParameters,
): ToolChoice {
  const usual: ToolChoice = { kind: tools.length > 0 ? "auto" : "none" };
  if (value === undefined || value === null) return usual;
  if (value === "none" || value === "auto") return tools.length > 0 ? { kind: value } : usual;
  if (value !== "required" && !isMembers(value)) {
    invalid("tool_choice", "expected none, auto, required or a named function.");
  }
  if (tools.length === 0) invalid("tool_choice", "it demands a call, and there are no tools.");
  if (value === "required") return { kind: "required" };
  const choice = membersAt(value, "tool_choice");
  if (choice["type"] !== "function") {
    if (typeof choice["type"] !== "string") invalid("tool_choice.type", "expected function.");
    unsupported.report("tool_choice", `tool_choice of type ${choice["type"].slice(0, 40)} is not supported.`);
    return usual;
  }
  const name = stringAt(membersAt(choice["function"], "tool_choice.function")["name"], "tool_choice.function.name");
  if (!tools.some((tool) => tool.name === name)) {
    invalid("tool_choice.function.name", "it names none of the tools.");
  }
  return { kind: "named", name };
}

export function readResponseFormat(value: unknown): ResponseFormat {
  if (value === undefined || value === null) return { kind: "text" };
  const format = membersAt(value, "response_format");
  switch (format["type"]) {
    case "text":
      return { kind: "text" };
    case "json_object":
      return { kind: "json_object" };
    case "json_schema": {
      const wrapper = membersAt(format["json_schema"], "response_format.json_schema");
      const name = stringAt(wrapper["name"], "response_format.json_schema.name");
      if (!namePattern.test(name)) {
        invalid("response_format.json_schema.name", "expected 1 to 64 of a-z, A-Z, 0-9, _ and -.");
      }
      return { kind: "json_schema", name, schema: membersAt(wrapper["schema"], "response_format.json_schema.schema") };
    }
    default:
      return invalid("response_format.type", "expected text, json_object or json_schema.");
  }
}
