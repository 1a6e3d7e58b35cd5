import type { AnswerForm, Assembly } from "./form.ts";
import { indexOf, listOf, objectOf, type Said, spoken, textOf } from "./said.ts";
import { anthropicUsage } from "./usage.ts";

/** Messages (Anthropic): the blocks of the content, and how it ended. */
export const messagesForm: AnswerForm = {
  name: "messages/1",
  whole: ({ content, stop_reason, stop_sequence }) =>
    messageOf(listOf(content).map(objectOf), stop_reason, stop_sequence),
  lastFrames: ['"message_stop"'],
  assemble: () => new MessageAssembly(),
  usageIn: ({ usage }) => usage,
  usage: anthropicUsage,
};

function messageOf(content: readonly Said[], ending: unknown, sequence: unknown): Said {
  return spoken({ content: content.map(spoken), stop_reason: ending, stop_sequence: sequence });
}

/** One block of a stream so far. */
interface Block {
  readonly begun: Said;
  text: string;
  thinking: string;
  signature: string;
  json: string;
  readonly citations: unknown[];
}

class MessageAssembly implements Assembly {
  readonly #blocks = new Map<number, Block>();
  #ending: unknown;
  #sequence: unknown;

  take(event: Said): void {
    const delta = objectOf(event["delta"]);
    if (event["type"] === "content_block_delta") return takeDelta(this.#blockAt(event), delta);
    if (event["type"] === "content_block_start") this.#begin(event);
    else if (event["type"] === "message_delta") {
      this.#ending = delta["stop_reason"] ?? this.#ending;
      this.#sequence = delta["stop_sequence"] ?? this.#sequence;
    }
  }

  said(): Said | undefined {
    const blocks = [...this.#blocks].toSorted(([a], [b]) => a - b).map(([, block]) => blockOf(block));
    return blocks.includes(undefined) ? undefined : messageOf(blocks as Said[], this.#ending, this.#sequence);
  }

  #begin(event: Said): void {
    const begun = objectOf(event["content_block"]);
    const [text, thinking] = [textOf(begun["text"]), textOf(begun["thinking"])];
    const signature = textOf(begun["signature"]);
    const block = { begun, text, thinking, signature, json: "", citations: [...listOf(begun["citations"])] };
    this.#blocks.set(indexOf(event, this.#blocks.size), block);
  }

  #blockAt(event: Said): Block | undefined {
    return this.#blocks.get(indexOf(event, this.#blocks.size - 1));
  }
}

function takeDelta(block: Block | undefined, delta: Said): void {
  if (block === undefined) return;
  block.text += textOf(delta["text"]);
  block.thinking += textOf(delta["thinking"]);
  block.signature += textOf(delta["signature"]);
  block.json += textOf(delta["partial_json"]);
  if (delta["citation"] !== undefined) block.citations.push(delta["citation"]);
}

/** Undefined where a tool's input is no JSON: then nobody can say what was meant. */
function blockOf({ begun, text, thinking, signature, json, citations }: Block): Said | undefined {
  const said = { ...begun, ...spoken({ text, thinking, signature, citations }) };
  if (json === "") return said;
  try {
    return { ...said, input: JSON.parse(json) as unknown };
  } catch {
    // A stream that broke off within it, or an upstream's slip; the bytes' digest holds all the same.
    return undefined;
  }
}
