import { refuse, type Refusal } from "../../base/index.ts";
import type { GenerateRequest, LoadedModel, ModelFile, Sequence } from "../types.ts";
import { questionOf } from "./body.ts";
import { refuseTurnTokens } from "./control-tokens.ts";
import type { Flavour } from "./flavour.ts";
import { Gate } from "./gate.ts";
import { planAnswer } from "./plan.ts";
import { countPrompt } from "./prompt-count.ts";
import { ServerSequence, type Surroundings } from "./sequence.ts";
import type { Serving } from "./serving.ts";
import { Salts } from "./salts.ts";
import type { ModelFacts } from "./size.ts";

/** A LoRA adapter in PEFT's format, in a folder. */
export interface Adapter {
  readonly name: string;
  readonly path: string;
}

export interface ServerModelOptions {
  readonly file: ModelFile;
  readonly flavour: Flavour;
  readonly serving: Serving;
  readonly sequences: number;
  readonly facts: Pick<ModelFacts, "chats" | "turnTokens">;
  /** Random bytes, for salts and the ids of tool calls. */
  readonly entropy: (count: number) => Buffer;
  /** Something went wrong that no request is told of. */
  readonly onFailure: (message: string) => void;
  /** What becomes of the program once nobody uses it. */
  readonly putAway: (model: ServerModel) => Promise<void>;
}

/** Bytes for each token of the context, beyond which a prompt is refused unread: texts have three to six. */
const bytesOfTokenMax = 16;

/** A model that a program serves. When the program has ended, everything fails at once from then on. */
export class ServerModel implements LoadedModel {
  readonly model: ModelFile;
  readonly contextTokens: number;
  readonly sequences: number;
  readonly chats: boolean;
  readonly serving: Serving;
  readonly lost: Promise<string>;
  readonly #options: ServerModelOptions;
  readonly #gate: Gate;
  readonly #surroundings: Surroundings;
  readonly #salts: Salts;
  #failure: Error | undefined;
  #unloaded: Promise<void> | undefined;

  constructor(options: ServerModelOptions) {
    const { file, serving, flavour, entropy } = options;
    this.model = file;
    this.contextTokens = file.contextTokens;
    this.sequences = options.sequences;
    this.chats = options.facts.chats;
    this.serving = serving;
    this.#options = options;
    this.#salts = new Salts(entropy);
    this.#gate = new Gate(flavour.orders(serving.program, serving.control), (error) => this.#disobeyed(error));
    this.#surroundings = {
      send: (question, reader) => serving.send(question, reader),
      callId: () => `call_${entropy(12).toString("hex")}`,
      running: new Set(),
      failure: () => this.#failure,
    };
    this.lost = new Promise((resolve) => {
      void serving.program.ended.then((how) => this.#ended(how, resolve));
    });
  }

  /**
   * Refuses what can be known without computing. What the program itself finds fault with is a `RefusalError` that the
   * sequence throws before its first part: a program that is held answers nobody. `adapter`: the name of a loaded one.
   */
  async start(request: GenerateRequest, adapter?: string): Promise<Sequence | Refusal> {
    if (this.#failure !== undefined) return refuse("engine_unavailable", `${this.#failure.message}.`);
    const { contextTokens } = this;
    const { flavour, serving, facts } = this.#options;
    const bytes = promptBytes(request);
    if (bytes > contextTokens * bytesOfTokenMax) return tooLong(`${bytes} bytes`, contextTokens);
    const spelt = refuseTurnTokens(request, facts.turnTokens);
    if (spelt !== undefined) return spelt;
    const plan = planAnswer(request);
    if (plan.outcome === "refused") return plan;
    let { maxTokens } = request;
    let inputTokens = 0;
    if (flavour.countsPrompts) {
      const count = await countPrompt(request, plan, serving);
      if (count.outcome === "refused") return count;
      inputTokens = count.tokens;
      const room = contextTokens - inputTokens;
      if (room < 1) return tooLong(`${inputTokens} tokens`, contextTokens);
      maxTokens = Math.min(maxTokens ?? room, room);
    }
    const extra = flavour.extraFields(this.#salts.of(request.tenant));
    const model = adapter ?? serving.model;
    const question = questionOf(request, plan, { model, maxTokens, extra });
    return new ServerSequence({ request, plan, question, inputTokens }, this.#surroundings);
  }

  hold(): Promise<void> {
    return this.#gate.hold();
  }

  release(): void {
    this.#gate.release();
  }

  forget(tenant: string | undefined): Promise<void> {
    this.#salts.forget(tenant);
    return Promise.resolve();
  }

  /** Makes an adapter known under its name. Rejects where the program cannot: it is then as it was. */
  loadAdapter({ name, path }: Adapter): Promise<void> {
    return this.serving.control.order("/v1/load_lora_adapter", { lora_name: name, lora_path: path });
  }

  unloadAdapter(name: string): Promise<void> {
    return this.serving.control.order("/v1/unload_lora_adapter", { lora_name: name });
  }

  unload(): Promise<void> {
    this.#unloaded ??= this.#unload();
    return this.#unloaded;
  }

  async #unload(): Promise<void> {
    this.#fail(new Error(`The model ${this.model.name} is unloaded`));
    await this.#options.putAway(this);
  }

  #ended(how: string, lost: (why: string) => void): void {
    if (this.#unloaded !== undefined) return;
    lost(how);
    this.#options.onFailure(`the program of ${this.model.name} ended: ${how}`);
    this.#fail(new Error(`The program of ${this.model.name} has ended`));
  }

  /** Whether it computes now or not, nobody knows: it must not. */
  #disobeyed(error: unknown): void {
    if (this.#failure !== undefined) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.onFailure(`the program of ${this.model.name} does not keep its turns: ${reason}`);
    this.serving.program.signal("SIGKILL");
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const sequence of this.#surroundings.running) sequence.fail(error);
  }
}

function tooLong(what: string, contextTokens: number): Refusal {
  const message = `The prompt has ${what}; the model's context holds ${contextTokens} tokens, the answer included.`;
  return refuse("context_length_exceeded", message);
}

function promptBytes({ prompt, tools }: GenerateRequest): number {
  if (prompt.kind === "tokens") return 0;
  const described = tools.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(tools));
  if (prompt.kind === "text") return described + Buffer.byteLength(prompt.text);
  return described + Buffer.byteLength(JSON.stringify(prompt.messages));
}
