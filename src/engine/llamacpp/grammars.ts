import {
  type Llama,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type Token,
} from "node-llama-cpp";
import type { Acceptor } from "./own-sampler.ts";

const mostKept = 64;

/** Grammars of a model, kept by their text; a state is made for each answer. */
export class Grammars {
  readonly #llama: Llama;
  readonly #model: LlamaModel;
  readonly #kept = new Map<string, LlamaGrammar>();

  constructor(model: LlamaModel) {
    this.#llama = model.llama;
    this.#model = model;
  }

  /** Parses a grammar; throws where the library cannot. */
  async prepare(text: string): Promise<LlamaGrammar> {
    const grammar = this.#kept.get(text) ?? (await this.#llama.createGrammar({ grammar: text }));
    // Set again, so that the least recently used one comes first.
    this.#kept.delete(text);
    this.#kept.set(text, grammar);
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!);
    return grammar;
  }

  async begin(text: string): Promise<LlamaGrammarEvaluationState> {
    return new LlamaGrammarEvaluationState({ model: this.#model, grammar: await this.prepare(text) });
  }

  /** Schemas are a part of what was asked; answers that use one keep it. */
  forget(): void {
    this.#kept.clear();
  }

  /** The grammar as seen by a sampler of our own. */
  acceptor(state: LlamaGrammarEvaluationState): Acceptor {
    const native: unknown = Reflect.get(state, "_state");
    const { canBeNextTokenForGrammarEvaluationState: canBeNext, acceptGrammarEvaluationStateToken: accept } =
      nativeSampler(this.#llama);
    return {
      allows: (token) => canBeNext(native, token),
      accept: (token) => {
        if (!this.#model.isEogToken(token)) accept(native, token);
      },
    };
  }
}

interface NativeSampler {
  readonly canBeNextTokenForGrammarEvaluationState: (state: unknown, token: Token) => boolean;
  readonly acceptGrammarEvaluationStateToken: (state: unknown, token: Token) => void;
}

/** The library keeps these two to itself; its version is pinned, and a test fails where they are gone. */
function nativeSampler(llama: Llama): NativeSampler {
  const bindings: unknown = Reflect.get(llama, "_bindings");
  const sampler: unknown = Reflect.get(Object(bindings), "AddonSampler");
  if (!isNativeSampler(sampler)) throw new Error("node-llama-cpp no longer has its grammar functions");
  return sampler;
}

function isNativeSampler(sampler: unknown): sampler is NativeSampler {
  const names = ["canBeNextTokenForGrammarEvaluationState", "acceptGrammarEvaluationStateToken"];
  return typeof sampler === "function" && names.every((name) => typeof Reflect.get(sampler, name) === "function");
}
