import type { Refusal } from "../../base/index.ts";
import { readSchema } from "../llamacpp/schema.ts";
import { type Check, checkOf } from "../llamacpp/validation.ts";
import type { GenerateRequest } from "../types.ts";
import { emptyObject, type ForcedCall, forcedCallOf } from "./forced-call.ts";

/** What an answer has to look like. */
export interface AnswerPlan {
  readonly outcome: "planned";
  readonly forced: ForcedCall | undefined;
  /** For an answer that ends by itself. */
  readonly checkContent: Check | undefined;
  /** For a forced call's arguments, by the tool's name. */
  readonly checkArguments: ReadonlyMap<string, Check>;
}

/**
 * Refuses a schema that our own engine could not enforce: what programs make of such a one differs, and some drop what
 * they do not know in silence. What a program then answers is checked all the same.
 */
export function planAnswer(request: GenerateRequest): AnswerPlan | Refusal {
  const forced = forcedCallOf(request);
  if (forced?.outcome === "refused") return forced;
  const checkArguments = new Map<string, Check>();
  for (const { name, parameters } of forced?.tools ?? []) {
    const read = readSchema(parameters ?? emptyObject, `tools.${name}.function.parameters`);
    if (read.outcome === "refused") return read;
    checkArguments.set(name, checkOf(parameters ?? emptyObject, `a call's arguments for ${name}`));
  }
  const { responseFormat } = request;
  let checkContent: Check | undefined;
  if (responseFormat.kind === "json_schema" && forced === undefined) {
    const read = readSchema(responseFormat.schema, "response_format.json_schema.schema");
    if (read.outcome === "refused") return read;
    checkContent = checkOf(responseFormat.schema, "the answer");
  }
  return { outcome: "planned", forced, checkContent, checkArguments };
}
