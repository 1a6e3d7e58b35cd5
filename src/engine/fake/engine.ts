import { type Clock, refuse, type Refusal } from "../../base/index.ts";
import type { Engine, EngineFactory, GenerateRequest, LoadedModel, ModelFile, ModelSize, Sequence } from "../types.ts";
import { planOf } from "./plan.ts";
import { type FakeSettings, scriptOf } from "./script.ts";
import { FakeSequence, type Prompted, type Surroundings } from "./sequence.ts";
import { commonTokens, scan, type Scanned } from "./words.ts";

const maxTenants = 1_024;
/** A chat's template ends with the words that open the answer. */
const opening = "assistant: ";

/** `crash` ends the process as a native crash would; only a script calls it. */
export function createFake(settings: FakeSettings, clock: Clock, crash: () => void): EngineFactory {
  return {
    name: "fake",
    open: ({ sequences, memoryBytes = unbounded }) => {
      const models = new Set<FakeModel>();
      const engine: Engine = {
        name: "fake",
        build: "fake 1",
        device: "cpu",
        loadsAlone: false,
        memoryBytes,
        sizeOf({ name, contextTokens }) {
          if (settings.unreadable?.includes(name)) return Promise.reject(new Error(`the script cannot read ${name}`));
          return Promise.resolve(sizeOf(settings, contextTokens));
        },
        async load(file) {
          if (settings.failLoads?.includes(file.name)) throw new Error(`the script cannot load ${file.name}`);
          if (settings.hangLoads?.includes(file.name)) await new Promise<never>(() => undefined);
          const { loadMs = 0 } = settings;
          if (loadMs > 0) await new Promise<void>((resolve) => clock.after(loadMs, resolve));
          const model = new FakeModel(file, sequences, settings, { clock, crash });
          models.add(model);
          return model;
        },
        async close() {
          await Promise.all([...models].map((model) => model.unload()));
          models.clear();
        },
      };
      return Promise.resolve(engine);
    },
  };
}

/** As much as any model of the script's asks for. */
const unbounded = 2 ** 50;

function sizeOf({ loadedBytes = 1e9 }: FakeSettings, contextTokens: number): ModelSize {
  const like = { parameters: 1e6, layers: 1, chats: true, contextTokens };
  return { loadedBytes, kvBytesPerToken: 0, weightsBytes: loadedBytes, ...like };
}

interface Remembered extends Scanned {
  readonly text: string;
}

class FakeModel implements LoadedModel {
  readonly model: ModelFile;
  readonly contextTokens: number;
  readonly sequences: number;
  readonly chats = true;
  readonly #settings: FakeSettings;
  readonly #surroundings: Surroundings;
  /** Each tenant's last prompt: the prefix cache. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    model: ModelFile,
    sequences: number,
    settings: FakeSettings,
    surroundings: Pick<Surroundings, "clock" | "crash">,
  ) {
    this.model = model;
    this.contextTokens = model.contextTokens;
    this.sequences = sequences;
    this.#settings = settings;
    this.#surroundings = { ...surroundings, held: false, running: new Set() };
  }

  start(request: GenerateRequest): Promise<Sequence | Refusal> {
    return Promise.resolve(this.#start(request));
  }

  hold(): Promise<void> {
    // A step is synchronous here, so that none is running when this is called.
    this.#surroundings.held = true;
    return Promise.resolve();
  }

  release(): void {
    this.#surroundings.held = false;
    for (const sequence of this.#surroundings.running) sequence.release();
  }

  forget(tenant: string | undefined): Promise<void> {
    if (tenant === undefined) this.#remembered.clear();
    else this.#remembered.delete(tenant);
    return Promise.resolve();
  }

  unload(): Promise<void> {
    for (const sequence of this.#surroundings.running) sequence.fail(new Error("the model is unloaded"));
    return Promise.resolve();
  }

  #start(request: GenerateRequest): Sequence | Refusal {
    const text = promptText(request.prompt);
    const { prompted, hash } = this.#prefill(request.tenant, text);
    const room = this.contextTokens - prompted.inputTokens;
    if (room < 1) {
      return refuse(
        "context_length_exceeded",
        `The prompt has ${prompted.inputTokens} tokens; the model's context holds ${this.contextTokens}, the answer included.`,
      );
    }
    const script = scriptOf(text, this.#settings);
    if (script.refuses) return refuse("invalid_request", "The script refuses this prompt.");
    const plan = planOf(request, script, hash);
    if (plan.outcome === "refused") return plan;
    const maxTokens = Math.min(request.maxTokens ?? room, room);
    return new FakeSequence(request, { script, plan, maxTokens }, prompted, this.#surroundings);
  }

  /** Counts the prompt's tokens, and those that the tenant's last prompt had in common with it. */
  #prefill(tenant: string, text: string): { readonly prompted: Prompted; readonly hash: number } {
    const last = this.#remembered.get(tenant);
    const isSame = last !== undefined && last.text === text;
    const { tokens, hash } = isSame ? last : scan(text);
    const inputTokens = Math.max(1, tokens);
    const common = last === undefined ? 0 : isSame ? tokens : commonTokens(last.text, text);
    if (!isSame) {
      if (last === undefined && this.#remembered.size >= maxTenants) this.#forgetOldest();
      this.#remembered.set(tenant, { text, tokens, hash });
    }
    // The last token is computed each time: the first one of the answer follows from it.
    return { prompted: { inputTokens, cachedInputTokens: Math.min(common, inputTokens - 1) }, hash };
  }

  #forgetOldest(): void {
    for (const tenant of this.#remembered.keys()) {
      this.#remembered.delete(tenant);
      return;
    }
  }
}

function promptText(prompt: GenerateRequest["prompt"]): string {
  switch (prompt.kind) {
    case "text":
      return prompt.text;
    case "tokens":
      return prompt.tokens.join(" ");
    case "chat":
      break;
  }
  let text = "";
  for (const { role, content } of prompt.messages) text += `${role}: ${content}\n`;
  return text + opening;
}
