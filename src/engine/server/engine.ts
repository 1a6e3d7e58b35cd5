import type { Clock } from "../../base/index.ts";
import type { Engine, EngineFactory, ModelFile } from "../types.ts";
import type { Flavour } from "./flavour.ts";
import { ServerModel } from "./model.ts";
import { readModel } from "./read-model.ts";
import { type ServerSettings, Serving, type ServingOptions } from "./serving.ts";
import { kvBytesOf, type ModelFacts, sizeOf } from "./size.ts";
import { Sleepers } from "./sleepers.ts";

/** What the engine takes from the process that it runs in, and from its settings. */
export interface ServerNeeds {
  readonly settings: ServerSettings;
  readonly memoryBytes: number;
  /** Programs that may sleep at once. */
  readonly sleeping: number;
  readonly clock: Clock;
  /** Random bytes, for keys and the ids of tool calls. */
  readonly entropy: (count: number) => Buffer;
  /** All that a program sees of the environment, but for what its settings add. */
  readonly environment: Readonly<Record<string, string>>;
  /** An absolute path, short: sockets lie below it. */
  readonly temporaryFolder: string;
  /** What a model's program prints, and what goes wrong with it that no request is told of. */
  readonly onLine: (model: string, line: string) => void;
}

type Opened = Parameters<EngineFactory["open"]>[0];

/** One device whose models are each served by a program of their own. */
export class ServerEngine implements Engine {
  readonly name: string;
  readonly device: string;
  readonly loadsAlone = false;
  readonly memoryBytes: number;
  readonly #flavour: Flavour;
  readonly #needs: ServerNeeds;
  readonly #opened: Opened;
  readonly #sleepers: Sleepers;
  readonly #canSleep: boolean;
  /** Every program that has been started and has not ended. */
  readonly #servings = new Set<Serving>();
  #build: string;
  #isClosed = false;

  constructor(flavour: Flavour, needs: ServerNeeds, opened: Opened) {
    this.name = flavour.name;
    this.device = opened.gpu === "off" ? "cpu" : opened.gpu === "auto" ? "gpu" : opened.gpu;
    this.memoryBytes = needs.memoryBytes;
    this.#flavour = flavour;
    this.#needs = needs;
    this.#opened = opened;
    this.#sleepers = new Sleepers(needs.sleeping);
    this.#canSleep = needs.sleeping > 0;
    this.#build = flavour.name;
  }

  /** As the first program has told it; before that, the kind alone. */
  get build(): string {
    return this.#build;
  }

  async sizeOf(file: ModelFile): ReturnType<Engine["sizeOf"]> {
    const elastic = this.#needs.settings.environment["ENABLE_KVCACHED"] === "true";
    return sizeOf(await readModel(file), file, { sequences: this.#opened.sequences, elastic });
  }

  async load(file: ModelFile): Promise<ServerModel> {
    if (this.#isClosed) throw new Error("the engine is closed");
    const facts = await readModel(file);
    const serving = (await this.#sleepers.wake(file)) ?? (await this.#start(file, facts));
    this.#build = serving.build;
    const { entropy, onLine } = this.#needs;
    return new ServerModel({
      file,
      flavour: this.#flavour,
      serving,
      sequences: this.#opened.sequences,
      facts,
      entropy,
      onFailure: (message) => onLine(file.name, message),
      putAway: () => (this.#canSleep && !this.#isClosed ? this.#sleepers.add(file, serving) : serving.stop()),
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#servings].map((serving) => serving.stop()));
  }

  #start(file: ModelFile, facts: ModelFacts): Promise<Serving> {
    const { settings, clock, entropy, environment, temporaryFolder, onLine } = this.#needs;
    const { sequences, threads } = this.#opened;
    const options: ServingOptions = {
      flavour: this.#flavour,
      settings,
      file,
      sequences,
      threads,
      kvBytes: kvBytesOf(facts, file, sequences),
      environment,
      temporaryFolder,
      entropy,
      clock,
      onLine: (line) => onLine(file.name, line),
    };
    return Serving.start(options, (serving) => {
      this.#servings.add(serving);
      void serving.program.ended.then(() => this.#servings.delete(serving));
    });
  }
}
