import type { AnswerForm, Assembly, SaidText } from "./form.ts";
import { indexOf, listOf, objectOf, type Said, spoken, textOf } from "./said.ts";
import { openaiUsage } from "./usage.ts";

/** What a message says in text; a stream sends each in parts. */
const texts = ["content", "refusal", "reasoning", "reasoning_content"] as const;

type TextName = (typeof texts)[number];

function isTextName(name: string | undefined): name is TextName {
  return (texts as readonly (string | undefined)[]).includes(name);
}

/** Chat completions: of each choice its end, its message's texts and calls of tools, and its log probabilities. */
export const chatForm: AnswerForm = {
  name: "chat.completions/1",
  whole: (answer) => ({
    choices: listOf(answer["choices"])
      .map((each, place) => wholeChoice(objectOf(each), place))
      .toSorted((a, b) => a.index - b.index),
  }),
  lastFrames: ["[DONE]"],
  assemble: () => new ChatAssembly(),
  usageIn: ({ usage }) => usage,
  usage: openaiUsage,
};

function wholeChoice(choice: Said, place: number) {
  const message = objectOf(choice["message"]);
  const calls = listOf(message["tool_calls"]).map((call) => callOf(objectOf(call)));
  const said = Object.fromEntries(texts.map((name) => [name, textOf(message[name])]));
  return choiceOf(indexOf(choice, place), {
    ending: choice["finish_reason"],
    message: { ...said, tool_calls: calls },
    logprobs: objectOf(choice["logprobs"]),
  });
}

function choiceOf(
  index: number,
  parts: { readonly ending: unknown; readonly message: Said; readonly logprobs: Said },
): { readonly index: number } {
  const logprobs = spoken({ content: parts.logprobs["content"], refusal: parts.logprobs["refusal"] });
  return { index, ...spoken({ finish_reason: parts.ending, message: spoken(parts.message), logprobs }) };
}

/** A call of a function, or of a tool with free input. */
function callOf(call: Said): Said {
  const { name, arguments: given } = objectOf(call["function"]);
  const custom = objectOf(call["custom"]);
  return spoken({
    id: call["id"],
    type: call["type"],
    function: spoken({ name, arguments: given }),
    custom: spoken({ name: custom["name"], input: custom["input"] }),
  });
}

/** One choice of a stream so far. */
class Choice {
  readonly texts = new Map<string, string>();
  readonly calls = new Map<number, Call>();
  readonly logprobs: Record<"content" | "refusal", unknown[]> = { content: [], refusal: [] };
  ending: unknown;
}

interface Call {
  id?: unknown;
  type?: unknown;
  name?: unknown;
  arguments: string;
  customName?: unknown;
  input: string;
}

class ChatAssembly implements Assembly {
  readonly #choices = new Map<number, Choice>();
  /** Where the text goes of an event that says nothing else. */
  #repeated: { readonly choice: Choice; readonly name: TextName } | undefined;

  take(event: Said): void {
    for (const [place, each] of listOf(event["choices"]).entries()) {
      const said = objectOf(each);
      const index = indexOf(said, place);
      let choice = this.#choices.get(index);
      if (choice === undefined) this.#choices.set(index, (choice = new Choice()));
      takeDelta(choice, objectOf(said["delta"]));
      takeLogprobs(choice, said["logprobs"]);
      choice.ending = said["finish_reason"] ?? choice.ending;
    }
  }

  textOf(event: Said): SaidText | undefined {
    const [only, ...more] = listOf(event["choices"]);
    const { delta, finish_reason: ending, logprobs } = objectOf(only);
    const members = Object.entries(objectOf(delta));
    const [name, text] = members[0] ?? [];
    if (more.length > 0 || members.length !== 1 || ending != null || logprobs != null || !isTextName(name))
      return undefined;
    this.#repeated = { choice: this.#choices.get(indexOf(objectOf(only), 0))!, name };
    return typeof text === "string" ? { name, text } : undefined;
  }

  takeText(text: string): void {
    const { choice, name } = this.#repeated!;
    choice.texts.set(name, (choice.texts.get(name) ?? "") + text);
  }

  said(): Said {
    const choices = [...this.#choices].map(([index, { texts: said, calls, logprobs, ending }]) => {
      const byIndex = [...calls].toSorted(([a], [b]) => a - b);
      const tools = byIndex.map(([, call]) =>
        callOf({
          id: call.id,
          type: call.type,
          function: { name: call.name, arguments: call.arguments },
          custom: { name: call.customName, input: call.input },
        }),
      );
      return choiceOf(index, { ending, message: { ...Object.fromEntries(said), tool_calls: tools }, logprobs });
    });
    return { choices: choices.toSorted((a, b) => a.index - b.index) };
  }
}

function takeDelta(choice: Choice, delta: Said): void {
  for (const name of texts) {
    const part = delta[name];
    if (typeof part === "string") choice.texts.set(name, (choice.texts.get(name) ?? "") + part);
  }
  const calls = delta["tool_calls"];
  if (calls !== undefined) for (const [place, each] of listOf(calls).entries()) takeCall(choice, objectOf(each), place);
}

function takeCall(choice: Choice, part: Said, place: number): void {
  const index = indexOf(part, place);
  let call = choice.calls.get(index);
  if (call === undefined) choice.calls.set(index, (call = { arguments: "", input: "" }));
  const [of, custom] = [objectOf(part["function"]), objectOf(part["custom"])];
  call.id = part["id"] ?? call.id;
  call.type = part["type"] ?? call.type;
  call.name = of["name"] ?? call.name;
  call.arguments += textOf(of["arguments"]);
  call.customName = custom["name"] ?? call.customName;
  call.input += textOf(custom["input"]);
}

function takeLogprobs(choice: Choice, logprobs: unknown): void {
  if (logprobs === null || logprobs === undefined) return;
  const parts = objectOf(logprobs);
  for (const name of ["content", "refusal"] as const) choice.logprobs[name].push(...listOf(parts[name]));
}
