/**
 * engine/llamacpp: models in GGUF, run in this process by llama.cpp through node-llama-cpp. Owns the batching of
 * concurrent answers, the slices of their prompts, the gate, prefix reuse, sampling where logprobs are asked for, the
 * grammar of a JSON Schema, the reading of tool calls. Does not own: OpenAI's shapes, the process it runs in, queues.
 * Invariants: an answer does not depend on its company; a slot's cache is cleared before another tenant gets it; a
 * message's text never becomes a control token; a keyword that the grammar does not enforce is refused.
 */
import type { EngineFactory } from "../types.ts";
import type { LlamaCppNeeds } from "./needs.ts";
export type { LlamaCppNeeds } from "./needs.ts";

/**
 * The factory; the native library is loaded by `open()`. It refuses to open, by throwing, in a process whose thread
 * pool has more than one thread: node-llama-cpp 3.21.1 samples several sequences of a context at once there, and mixes
 * their tokens up.
 */
export function createLlamaCpp(needs: LlamaCppNeeds): EngineFactory {
  return {
    name: "llamacpp",
    async open(settings) {
      if (needs.threadPoolSize !== "1") {
        throw new Error(
          "the llamacpp engine runs in a process that was started with UV_THREADPOOL_SIZE=1, " +
            `not ${needs.threadPoolSize ?? "without it"}: with more threads it would mix answers up`,
        );
      }
      const { openEngine } = await import("./engine.ts");
      return openEngine(settings, needs);
    },
  };
}
