import { refuse, type Refusal, RefusalError } from "../../base/index.ts";
import type { GenerateRequest } from "../types.ts";
import { promptOf } from "./body.ts";
import { membersOf } from "./control.ts";
import type { AnswerPlan } from "./plan.ts";
import { errorOf } from "./refusal.ts";
import type { Serving } from "./serving.ts";

export type PromptCount = { readonly outcome: "counted"; readonly tokens: number } | Refusal;

/** How many tokens a prompt has, as vLLM counts them: its tokenizer works beside its engine, also while that is held. */
export async function countPrompt(request: GenerateRequest, plan: AnswerPlan, serving: Serving): Promise<PromptCount> {
  const { prompt } = request;
  if (prompt.kind === "tokens") return counted(prompt.tokens.length);
  const question = prompt.kind === "chat" ? promptOf(request, plan) : { prompt: prompt.text };
  try {
    const { status, value } = await serving.control.ask("POST", "/tokenize", { model: serving.model, ...question });
    const { count } = membersOf(value);
    if (status === 200 && typeof count === "number") return counted(count);
    throw errorOf(status === 200 ? 500 : status, value);
  } catch (error) {
    if (error instanceof RefusalError) return error.refusal;
    // It has died in this moment, or cannot tokenize: either way it would not answer.
    return refuse("engine_unavailable", `The program of ${serving.model} does not count prompts.`);
  }
}

function counted(tokens: number): PromptCount {
  if (tokens === 0) return refuse("invalid_request", "The prompt is empty.", { param: "prompt" });
  return { outcome: "counted", tokens };
}
