import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { GenerateRequest, ModelFile, Sequence, SequencePart } from "../types.ts";
import type { ServerSettings } from "./serving.ts";

/** A request with the usual brakes: greedy, of a tenant of its own. */
export function request(content: string, more: Partial<GenerateRequest> = {}): GenerateRequest {
  return {
    tenant: "prj_a",
    prompt: { kind: "chat", messages: [{ role: "user", content }] },
    tools: [],
    toolChoice: { kind: "none" },
    parallelToolCalls: true,
    responseFormat: { kind: "text" },
    sampling: {
      temperature: 0,
      topP: 1,
      topK: 0,
      minP: 0,
      seed: undefined,
      frequencyPenalty: 0,
      presencePenalty: 0,
      repeatPenalty: 1,
    },
    stop: [],
    maxTokens: 64,
    topLogprobs: undefined,
    signal: new AbortController().signal,
    ...more,
  };
}

/** Reads an answer in the background: its text so far, and its end. */
export class Reading {
  text = "";
  readonly parts: SequencePart[] = [];
  readonly ended: Promise<void>;
  readonly sequence: Sequence;

  constructor(sequence: Sequence) {
    this.sequence = sequence;
    this.ended = this.#read();
    this.ended.catch(() => undefined);
  }

  get tokens(): number {
    return this.sequence.counts().outputTokens;
  }

  /** Resolves once so many tokens have come. */
  async reached(tokens: number): Promise<void> {
    const early = this.ended.then(() => true);
    while (this.tokens < tokens) {
      if (await Promise.race([early, delay(5, false)])) break;
    }
  }

  async #read(): Promise<void> {
    for await (const part of this.sequence) {
      this.parts.push(part);
      if (part.type === "text") this.text += part.text;
    }
  }
}

/** A process that has opened an engine and loaded a model, to be ended by a test; `group`: of the model's program. */
export interface EngineChild {
  readonly child: ChildProcess;
  readonly group: number;
}

/** Opens an engine in a process of its own; `held`: its model is held from the first. */
export async function startChild(
  kind: "vllm" | "server",
  options: { readonly settings: ServerSettings; readonly file: ModelFile; readonly held: boolean },
): Promise<EngineChild> {
  const code = `
    import { randomBytes } from "node:crypto";
    import { tmpdir } from "node:os";
    import { systemClock } from ${JSON.stringify(new URL("../../base/index.ts", import.meta.url).href)};
    import { createServer } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
    const { kind, settings, file, held, path } = JSON.parse(process.argv[1]);
    const needs = { settings, memoryBytes: 1, sleeping: 0, clock: systemClock, entropy: randomBytes };
    const surroundings = { environment: { PATH: path }, temporaryFolder: tmpdir(), onLine: () => undefined };
    const engine = await createServer(kind, { ...needs, ...surroundings })
      .open({ threads: 1, sequences: 2, gpu: "off", prefillSliceTokens: 64 });
    const model = await engine.load(file);
    if (held) await model.hold();
    console.log(await model.serving.program.started);
    setInterval(() => undefined, 1_000);`;
  const told = JSON.stringify({ kind, ...options, path: process.env["PATH"] });
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code, told], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), once(child, "exit")])) as [string];
  return { child, group: Number(line) };
}

/** Resolves to whether nothing of the group is left within a time. */
export async function isGone(group: number, limitMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= limitMs; waitedMs += 50) {
    try {
      process.kill(-group, 0);
    } catch {
      return true;
    }
    await delay(50);
  }
  return false;
}
