import type { Refusal } from "../../base/index.ts";
import type { GenerateRequest, SequencePart } from "../types.ts";
import { instanceOf } from "./instance.ts";
import type { Script } from "./script.ts";
import { cut, wordAt } from "./words.ts";

/** What an answer says, token by token, until it ends by itself. */
export interface Plan {
  readonly outcome: "planned";
  /** The part that token `index` adds; undefined: the end of the turn. */
  readonly at: (index: number) => SequencePart | undefined;
  readonly reason: "stop" | "tool_calls";
}

/** Decides between a tool call, JSON of a schema, a text that the script gives, and words that follow from the prompt. */
export function planOf(request: GenerateRequest, script: Script, hash: number): Plan | Refusal {
  const tool = calledTool(request, script);
  if (tool !== undefined) {
    const instance = instanceOf(tool.parameters ?? { type: "object" });
    if (typeof instance !== "string") return instance;
    const id = `call_${hash.toString(16).padStart(8, "0")}`;
    const parts: SequencePart[] = cut(instance).map((text) => ({ type: "tool_arguments", index: 0, text }));
    parts.unshift({ type: "tool_call", index: 0, id, name: tool.name });
    return { outcome: "planned", at: (index) => parts[index], reason: "tool_calls" };
  }
  const { responseFormat } = request;
  if (responseFormat.kind !== "text") {
    const schema = responseFormat.kind === "json_schema" ? responseFormat.schema : { type: "object" };
    const instance = instanceOf(schema);
    return typeof instance === "string" ? said(instance) : instance;
  }
  if (script.say !== undefined) return said(script.say);
  const words = request.sampling.temperature > 0 ? hash ^ Math.imul(request.sampling.seed ?? 0, 0x9e3779b1) : hash;
  const { answerTokens } = script;
  const at = (index: number): SequencePart | undefined =>
    index < answerTokens ? { type: "text", text: wordAt(words, index) } : undefined;
  return { outcome: "planned", at, reason: "stop" };
}

function said(text: string): Plan {
  const tokens = cut(text);
  const at = (index: number): SequencePart | undefined =>
    index < tokens.length ? { type: "text", text: tokens[index]! } : undefined;
  return { outcome: "planned", at, reason: "stop" };
}

function calledTool(request: GenerateRequest, script: Script): GenerateRequest["tools"][number] | undefined {
  const { toolChoice, tools } = request;
  switch (toolChoice.kind) {
    case "none":
      return undefined;
    case "auto":
      return tools.find(({ name }) => name === script.call);
    case "required":
      return tools[0];
    case "named":
      break;
  }
  return tools.find(({ name }) => name === toolChoice.name);
}
