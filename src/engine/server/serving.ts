import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type Clock, refuse, RefusalError, sleep } from "../../base/index.ts";
import { Address, type Exchange, type Reader } from "../upstream/index.ts";
import type { ModelFile } from "../types.ts";
import type { Question } from "./body.ts";
import { fill, mentions, type Placeholders } from "./command.ts";
import { Control, membersOf } from "./control.ts";
import type { Flavour } from "./flavour.ts";
import { Program } from "./program.ts";
import { type Reach, reachOf } from "./reach.ts";

/** What a host's settings say of the program. */
export interface ServerSettings {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly startTimeoutMs: number;
}

export interface ServingOptions {
  readonly flavour: Flavour;
  readonly settings: ServerSettings;
  readonly file: ModelFile;
  readonly sequences: number;
  readonly threads: number;
  readonly kvBytes: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly temporaryFolder: string;
  readonly entropy: (count: number) => Buffer;
  readonly clock: Clock;
  readonly onLine: (line: string) => void;
}

const graceMs = 5_000;
const lookIntervalMs = 100;

/** A program that serves one model, and the way to it. */
export class Serving {
  readonly program: Program;
  readonly control: Control;
  readonly reach: Reach;
  /** The name that it knows its model by. */
  model: string;
  build = "";
  readonly #options: ServingOptions;
  readonly #answers: Address;
  readonly #headers: readonly string[];

  private constructor(program: Program, reach: Reach, options: ServingOptions) {
    this.program = program;
    this.reach = reach;
    this.#options = options;
    this.model = options.file.name;
    this.control = new Control(reach, options.settings.startTimeoutMs);
    this.#headers = ["authorization", `Bearer ${reach.key}`, "content-type", "application/json"];
    this.#answers = new Address({
      url: reach.url,
      ...(reach.socketPath === undefined ? {} : { socketPath: reach.socketPath }),
      connections: options.sequences + 1,
      keepAlive: false,
      connectTimeoutMs: 0,
      // Held, it is silent for as long as others have their turns.
      firstByteTimeoutMs: 0,
      idleTimeoutMs: 0,
    });
  }

  /** Starts the program and waits until it answers. Rejects where it ends before, or takes too long. */
  static async start(options: ServingOptions, onStart: (serving: Serving) => void): Promise<Serving> {
    const { flavour, settings, temporaryFolder, environment, onLine } = options;
    const wanted = flavour.complete(settings);
    const texts = [...wanted.command, ...Object.values(wanted.environment)];
    if (!mentions(texts, "port") && !mentions(texts, "socket")) {
      throw new TypeError("the engine's command names neither {port} nor {socket}: nobody could reach its program");
    }
    const folder = mkdtempSync(join(temporaryFolder, "bailiwick-engine-"));
    const reach = await reachOf(texts, folder, options.entropy);
    const values = placeholdersOf(reach, options);
    const program = new Program({
      command: wanted.command.map((element) => fill(element, values)),
      environment: {
        ...environment,
        ...Object.fromEntries(Object.entries(wanted.environment).map(([name, text]) => [name, fill(text, values)])),
      },
      folder,
      graceMs,
      onLine,
    });
    const serving = new Serving(program, reach, options);
    onStart(serving);
    try {
      await serving.#ready();
    } catch (error) {
      await serving.stop();
      throw error;
    }
    return serving;
  }

  send({ path, body }: Question, reader: Reader): Exchange {
    return this.#answers.send("POST", path, [...this.#headers], Buffer.from(JSON.stringify(body)), reader);
  }

  /** Ends the program, if it has not ended yet. */
  async stop(): Promise<void> {
    await this.program.stop();
    await Promise.allSettled([this.#answers.destroy(), this.control.close()]);
  }

  async #ready(): Promise<void> {
    const { clock, settings, flavour } = this.#options;
    const startMs = clock.monotonicMs();
    let ended: string | undefined;
    void this.program.ended.then((how) => (ended = how));
    while (!(await this.#answersNow())) {
      if (ended !== undefined) throw this.#failed(`ended while it started: ${ended}`);
      if (clock.monotonicMs() - startMs > settings.startTimeoutMs) {
        throw this.#failed(`did not answer within ${settings.startTimeoutMs} ms${this.program.lastWords}`);
      }
      await Promise.race([sleep(clock, lookIntervalMs), this.program.ended]);
    }
    this.build = await flavour.build(this.control);
  }

  /** Whether it takes questions; some list their model before they can, but then say that they are not healthy. */
  async #answersNow(): Promise<boolean> {
    try {
      const health = await this.control.ask("GET", "/health");
      if (health.status !== 200 && health.status !== 404) return false;
      const { status, value } = await this.control.ask("GET", "/v1/models");
      if (status !== 200) return false;
      const { data } = membersOf(value);
      const names = Array.isArray(data) ? data.map((model) => membersOf(model)["id"]) : [];
      if (!names.includes(this.model) && typeof names[0] === "string") this.model = names[0];
      return true;
    } catch {
      return false;
    }
  }

  #failed(how: string): RefusalError {
    const [program] = this.#options.settings.command;
    return new RefusalError(refuse("engine_unavailable", `${program}, started for ${this.#options.file.name}, ${how}`));
  }
}

function placeholdersOf({ port, socket, key }: Reach, options: ServingOptions): Placeholders {
  const { file, sequences, threads, kvBytes } = options;
  const { path, name, contextTokens } = file;
  const totalTokens = sequences * contextTokens;
  return { path, name, contextTokens, totalTokens, port, socket, key, sequences, threads, kvBytes };
}
