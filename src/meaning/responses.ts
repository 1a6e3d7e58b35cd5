import type { AnswerForm, Assembly } from "./form.ts";
import { objectOf, type Said, spoken } from "./said.ts";
import { responsesUsage } from "./usage.ts";

const lastTypes: readonly string[] = ["response.completed", "response.incomplete", "response.failed"];

/** Responses: the output's items as they stand, and how it ended. A stream says the whole of it once more in its last event. */
export const responsesForm: AnswerForm = {
  name: "responses/1",
  whole,
  lastFrames: lastTypes.map((type) => `"${type}"`),
  assemble: () => new ResponseAssembly(),
  usageIn: ({ usage }) => usage,
  usage: responsesUsage,
};

function whole({ output, status, incomplete_details, error }: Said): Said {
  return spoken({ output, status, incomplete_details, error });
}

class ResponseAssembly implements Assembly {
  #said: Said | undefined;

  take(event: Said): void {
    if (lastTypes.includes(String(event["type"]))) this.#said = whole(objectOf(event["response"]));
  }

  said(): Said | undefined {
    return this.#said;
  }
}
