import type { AnswerForm, Assembly, SaidText } from "./form.ts";
import { indexOf, listOf, objectOf, type Said, spoken, textOf } from "./said.ts";
import { openaiUsage } from "./usage.ts";

const lists = ["tokens", "token_logprobs", "top_logprobs", "text_offset"] as const;
type Logprobs = Record<(typeof lists)[number], unknown[]>;

/** Completions: of each choice its end, its text and its log probabilities. An event of a stream is a whole one's part. */
export const completionsForm: AnswerForm = {
  name: "completions/1",
  whole: (answer) => {
    const assembly = new CompletionAssembly();
    assembly.take(answer);
    return assembly.said();
  },
  lastFrames: ["[DONE]"],
  assemble: () => new CompletionAssembly(),
  usageIn: ({ usage }) => usage,
  usage: openaiUsage,
};

interface Choice {
  text: string;
  ending: unknown;
  readonly logprobs: Logprobs;
}

class CompletionAssembly implements Assembly {
  readonly #choices = new Map<number, Choice>();
  #repeated: Choice | undefined;

  take(event: Said): void {
    for (const [place, each] of listOf(event["choices"]).entries()) {
      const said = objectOf(each);
      const index = indexOf(said, place);
      let choice = this.#choices.get(index);
      if (choice === undefined) this.#choices.set(index, (choice = newChoice()));
      choice.text += textOf(said["text"]);
      choice.ending = said["finish_reason"] ?? choice.ending;
      const logprobs = objectOf(said["logprobs"]);
      for (const name of lists) choice.logprobs[name].push(...listOf(logprobs[name]));
    }
  }

  textOf(event: Said): SaidText | undefined {
    const [only, ...more] = listOf(event["choices"]);
    const { text, finish_reason: ending, logprobs } = objectOf(only);
    if (more.length > 0 || ending != null || logprobs != null || typeof text !== "string") return undefined;
    this.#repeated = this.#choices.get(indexOf(objectOf(only), 0));
    return { name: "text", text };
  }

  takeText(text: string): void {
    this.#repeated!.text += text;
  }

  said(): Said {
    const choices = [...this.#choices].map(([index, { text, ending, logprobs }]) => ({
      index,
      ...spoken({ finish_reason: ending, text, logprobs: spoken(logprobs) }),
    }));
    return { choices: choices.toSorted((a, b) => a.index - b.index) };
  }
}

function newChoice(): Choice {
  return {
    text: "",
    ending: undefined,
    logprobs: { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] },
  };
}
