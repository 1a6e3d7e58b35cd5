import { refuse, type Refusal } from "../../base/index.ts";
import type { GenerateRequest, ToolDefinition } from "../types.ts";
import type { CallFormat } from "./call-format.ts";
import { GrammarWriter, quoted } from "./grammar.ts";
import { readSchema } from "./schema.ts";
import type { Shapes } from "./shape.ts";
import { ToolCallReader } from "./tool-calls.ts";
import { type Check, checkOf } from "./validation.ts";

/** What an answer has to look like, and how it is read. */
export interface OutputPlan {
  readonly outcome: "planned";
  /** The tools of which one must be called; undefined: the model is free. */
  readonly forced: readonly ToolDefinition[] | undefined;
  /** GBNF that holds from the first token on. */
  readonly grammar: string | undefined;
  /**
   * GBNF for the rest of a call of which the model has written the opening and `rest`; undefined: what it has written
   * is no call to a tool that was offered, or already goes beyond its name.
   */
  readonly callGrammar: ((rest: string) => string | undefined) | undefined;
  readonly reader: (() => ToolCallReader) | undefined;
  /** For an answer that ends by itself. */
  readonly checkContent: Check | undefined;
  /** For a call's arguments, by the tool's name. */
  readonly checkArguments: ReadonlyMap<string, Check>;
}

interface ReadTool {
  readonly tool: ToolDefinition;
  readonly shapes: Shapes;
}

const emptyObject = { type: "object", properties: {} };

/** Plans an answer's form. Refuses a schema that cannot be enforced, whatever the choice of tools. */
export function planOutput(request: GenerateRequest, format: CallFormat): OutputPlan | Refusal {
  const tools = readTools(request);
  if (!Array.isArray(tools)) return tools as Refusal;
  const content = readContent(request.responseFormat);
  if (content?.outcome === "refused") return content;
  const checkArguments = new Map(
    tools.map(({ tool }) => [
      tool.name,
      checkOf(tool.parameters ?? emptyObject, `a call's arguments for ${tool.name}`),
    ]),
  );
  const shared = { outcome: "planned", checkArguments } as const;
  const forced = forcedTools(request, tools);
  if (forced !== undefined) {
    if (forced.length === 0) return refuse("invalid_request", "There is no such tool.", { param: "tool_choice" });
    const names = forced.map(({ tool }) => tool.name);
    return {
      ...shared,
      forced: forced.map(({ tool }) => tool),
      grammar: forced.length === 1 ? argumentsGrammar(forced[0]!, format) : callsGrammar(forced, format, ""),
      callGrammar: undefined,
      reader: () => new ToolCallReader(format, names, { mayRepeat: false, forced: true }),
      checkContent: undefined,
    };
  }
  const isFree = tools.length === 0;
  const names = tools.map(({ tool }) => tool.name);
  // Under a grammar for the content calls are a branch of it; it has no place for a second one.
  const mayRepeat = request.parallelToolCalls && content === undefined;
  return {
    ...shared,
    forced: undefined,
    grammar: content === undefined ? undefined : contentGrammar(content.shapes, tools, format),
    callGrammar: isFree || content !== undefined ? undefined : (rest) => callsGrammar(tools, format, rest),
    reader: isFree ? undefined : () => new ToolCallReader(format, names, { mayRepeat, forced: false }),
    checkContent: content?.check,
  };
}

function readTools({ tools, toolChoice }: GenerateRequest): readonly ReadTool[] | Refusal {
  if (toolChoice.kind === "none") return [];
  const read: ReadTool[] = [];
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}].function.parameters`;
    const result = readSchema(tool.parameters ?? emptyObject, path);
    if (result.outcome === "refused") return result;
    const { root, definitions } = result.shapes;
    const shape = root.kind === "reference" ? definitions.get(root.pointer) : root;
    if (shape?.kind !== "object") {
      return refuse("unsupported_schema", `${path}: a tool's parameters are an object (type: object).`, {
        param: path,
      });
    }
    read.push({ tool, shapes: result.shapes });
  }
  return read;
}

function forcedTools({ toolChoice }: GenerateRequest, tools: readonly ReadTool[]): readonly ReadTool[] | undefined {
  switch (toolChoice.kind) {
    case "required":
      return tools;
    case "named":
      return tools.filter(({ tool }) => tool.name === toolChoice.name);
    default:
      return undefined;
  }
}

interface Content {
  readonly outcome: "read";
  readonly shapes: Shapes;
  readonly check: Check;
}

function readContent(format: GenerateRequest["responseFormat"]): Content | Refusal | undefined {
  if (format.kind === "text") return undefined;
  const path = "response_format.json_schema.schema";
  const schema = format.kind === "json_schema" ? format.schema : { type: "object" };
  const read = readSchema(schema, path);
  return read.outcome === "refused" ? read : { ...read, check: checkOf(schema, "the answer") };
}

function contentGrammar(shapes: Shapes, tools: readonly ReadTool[], format: CallFormat): string {
  const writer = new GrammarWriter();
  const content = writer.schema(shapes);
  if (tools.length === 0) return writer.text(content);
  const opening = quoted(format.openings[0]!);
  return writer.text(`${content} | ${opening} (${tools.map((tool) => call(writer, tool, format, "")).join(" | ")})`);
}

function argumentsGrammar(tool: ReadTool, format: CallFormat): string {
  const writer = new GrammarWriter();
  return writer.text(`${writer.schema(tool.shapes)} ${quoted(format.afterArguments(tool.tool.name))}`);
}

function callsGrammar(tools: readonly ReadTool[], format: CallFormat, rest: string): string | undefined {
  const possible = tools.filter(({ tool }) => (tool.name + format.afterName(tool.name)).startsWith(rest));
  if (possible.length === 0) return undefined;
  const writer = new GrammarWriter();
  return writer.text(possible.map((tool) => call(writer, tool, format, rest)).join(" | "));
}

/** A call after its opening, as far as `rest` has not been written yet. */
function call(writer: GrammarWriter, { tool, shapes }: ReadTool, format: CallFormat, rest: string): string {
  const head = (tool.name + format.afterName(tool.name)).slice(rest.length);
  return `${quoted(head)} ${writer.schema(shapes)} ${quoted(format.afterArguments(tool.name))}`;
}
