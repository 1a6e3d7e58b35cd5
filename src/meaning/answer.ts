import { chatForm } from "./chat.ts";
import { completionsForm } from "./completions.ts";
import { embeddingsForm } from "./embeddings.ts";
import type { AnswerForm } from "./form.ts";
import { messagesForm } from "./messages.ts";
import { responsesForm } from "./responses.ts";

/** By the endpoints' names, as receipts have them. */
const answerForms: Readonly<Record<string, AnswerForm>> = {
  "chat.completions": chatForm,
  completions: completionsForm,
  embeddings: embeddingsForm,
  responses: responsesForm,
  messages: messagesForm,
};

export function answerForm(endpoint: string): AnswerForm | undefined {
  return Object.hasOwn(answerForms, endpoint) ? answerForms[endpoint] : undefined;
}
