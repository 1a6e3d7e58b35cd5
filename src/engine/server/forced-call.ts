import { refuse, type Refusal, RefusalError } from "../../base/index.ts";
import type { GenerateRequest, ToolDefinition } from "../types.ts";
import { JsonEnd } from "../llamacpp/json-end.ts";

/**
 * A call that must be made, told to a program as an answer that must match a schema: what programs make of
 * `tool_choice: required` themselves is not always a call (vLLM 0.32 gives arguments that match nothing).
 */
export interface ForcedCall {
  readonly outcome: "forced";
  readonly schema: object;
  /** What a model is told, before all else. */
  readonly instruction: string;
  readonly tools: readonly ToolDefinition[];
}

/** What a forced call's text turns out to be. */
export type CallText = { readonly name: string } | { readonly arguments: string };

type Schema = Readonly<Record<string, unknown>>;
/** Of a tool that names no parameters. */
export const emptyObject: Schema = { type: "object", properties: {}, additionalProperties: false };

/** The call that a request demands; undefined: none. */
export function forcedCallOf({ tools, toolChoice }: GenerateRequest): ForcedCall | Refusal | undefined {
  if (toolChoice.kind !== "required" && toolChoice.kind !== "named") return undefined;
  const possible = toolChoice.kind === "named" ? tools.filter(({ name }) => name === toolChoice.name) : tools;
  const [first, ...others] = possible;
  if (first === undefined) return refuse("invalid_request", "There is no such tool.", { param: "tool_choice" });
  try {
    const schema = others.length === 0 ? (first.parameters ?? emptyObject) : schemaOfAny(possible);
    return { outcome: "forced", schema, instruction: instructionFor(possible), tools: possible };
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    throw error;
  }
}

function instructionFor(tools: readonly ToolDefinition[]): string {
  const described = tools.map(({ name, description, parameters }) => JSON.stringify({ name, description, parameters }));
  const form = tools.length === 1 ? "its arguments as one JSON object" : 'JSON: {"name": ..., "arguments": {...}}';
  const which = tools.length === 1 ? "this function" : "one of these functions";
  return `Call ${which} for the user's request. Answer with ${form}, and nothing else.\n${described.join("\n")}`;
}

function schemaOfAny(tools: readonly ToolDefinition[]): Schema {
  const definitions: Record<string, unknown> = {};
  const calls = tools.map(({ name, parameters = emptyObject }, index) => ({
    type: "object",
    properties: { name: { enum: [name] }, arguments: moved(parameters, `t${index}_`, definitions) },
    required: ["name", "arguments"],
    additionalProperties: false,
  }));
  return { anyOf: calls, ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions }) };
}

/** A schema as a part of a larger one: its definitions go to the larger one's root, under names of their own. */
function moved(schema: Schema, prefix: string, definitions: Record<string, unknown>): Schema {
  const { $defs, definitions: older, $schema: _dialect, $id: _name, ...rest } = schema;
  for (const [name, definition] of Object.entries({ ...(older as Schema), ...($defs as Schema) })) {
    definitions[prefix + name] = pointed(definition, prefix);
  }
  return pointed(rest, prefix) as Schema;
}

function pointed(value: unknown, prefix: string): unknown {
  if (Array.isArray(value)) return value.map((item) => pointed(item, prefix));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "$ref" && typeof inner === "string" ? pointer(inner, prefix) : pointed(inner, prefix),
    ]),
  );
}

function pointer(reference: string, prefix: string): string {
  const [, name] = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec(reference) ?? [];
  if (name !== undefined) return `#/$defs/${prefix}${name}`;
  const message = `Among several tools a schema may refer to its definitions only, not to ${reference.slice(0, 80)}.`;
  throw new RefusalError(refuse("unsupported_schema", message, { param: "tools" }));
}

const head = /^\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*/;

/** Reads the answer that is a call: a name where several are possible, then the arguments as they come. */
export class ForcedCallReader {
  readonly #end = new JsonEnd();
  #text = "";
  #isNamed: boolean;
  #isOver = false;
  #arguments = "";

  constructor({ tools }: ForcedCall) {
    this.#isNamed = tools.length === 1;
  }

  /** The arguments so far, as JSON text. */
  get arguments(): string {
    return this.#arguments;
  }

  push(text: string): readonly CallText[] {
    if (this.#isOver) return [];
    this.#text += text;
    const found: CallText[] = [];
    if (!this.#isNamed) {
      const match = head.exec(this.#text);
      if (match === null) return [];
      this.#isNamed = true;
      this.#text = this.#text.slice(match[0].length);
      found.push({ name: JSON.parse(match[1]!) as string });
    }
    if (this.#arguments === "") this.#text = this.#text.trimStart();
    if (this.#text === "") return found;
    const end = this.#end.push(this.#text);
    const more = this.#text.slice(0, end);
    this.#arguments += more;
    this.#isOver = end !== undefined;
    this.#text = "";
    return [...found, { arguments: more }];
  }
}
