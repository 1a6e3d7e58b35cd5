import type { AnswerForm } from "./form.ts";
import { indexOf, listOf, objectOf } from "./said.ts";
import { openaiUsage } from "./usage.ts";

/**
 * Embeddings: each vector as single-precision numbers, little-endian, in base64, which is how OpenAI's clients ask for
 * them and what a list of numbers is rounded to. So whoever has the numbers has them in this form, too.
 */
export const embeddingsForm: AnswerForm = {
  name: "embeddings/1",
  whole: (answer) => ({
    data: listOf(answer["data"])
      .map((each, place) => {
        const said = objectOf(each);
        return { index: indexOf(said, place), embedding: vectorOf(said["embedding"]) };
      })
      .toSorted((a, b) => a.index - b.index),
  }),
  lastFrames: [],
  assemble: undefined,
  usageIn: ({ usage }) => usage,
  usage: openaiUsage,
};

function vectorOf(embedding: unknown): unknown {
  if (!isNumbers(embedding)) return embedding;
  const bytes = Buffer.alloc(embedding.length * Float32Array.BYTES_PER_ELEMENT);
  for (let at = 0; at < embedding.length; at++) bytes.writeFloatLE(embedding[at]!, at * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString("base64");
}

function isNumbers(value: unknown): value is ArrayLike<number> {
  if (value instanceof Float32Array) return true;
  return Array.isArray(value) && value.every((each) => typeof each === "number");
}
