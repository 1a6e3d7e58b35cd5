import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Ending, Usage } from "../base/index.ts";
import type { HostCounts } from "./wire.ts";

interface Tracked {
  usage: Usage;
  ending: Ending | undefined;
  waiting: ((counts: HostCounts) => void)[];
}

const linesBeforeAnew = 50_000;

/**
 * The counts of every request until the gateway has settled it, in memory and in a small file: each step is handed to
 * the operating system at once, so that a kill of every process loses none. What an earlier process left is served as
 * ended by an error. The file begins anew once nothing in it is still needed, or when it has grown long.
 */
export class Progress {
  readonly #folder: string;
  readonly #tracked = new Map<string, Tracked>();
  #path: string;
  #file: number;
  #lines = 0;
  #number = 0;
  readonly #boot: string;

  constructor(folder: string, boot: string) {
    this.#folder = folder;
    this.#boot = boot;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const left = readdirSync(folder).filter((name) => name.endsWith(".counts"));
    for (const name of left) this.#recover(readFileSync(join(folder, name), "latin1"));
    ({ path: this.#path, file: this.#file } = this.#begin());
    for (const name of left) rmSync(join(folder, name), { force: true });
  }

  /** The request's counts so far; called at its start and after every step. */
  step(request: string, usage: Usage): void {
    const tracked = this.#tracked.get(request);
    if (tracked === undefined) this.#tracked.set(request, { usage, ending: undefined, waiting: [] });
    else tracked.usage = usage;
    this.#write(line(request, usage, undefined));
  }

  end(request: string, usage: Usage, ending: Ending): void {
    const tracked = this.#tracked.get(request) ?? { usage, ending, waiting: [] };
    this.#tracked.set(request, tracked);
    tracked.usage = usage;
    tracked.ending = ending;
    this.#write(line(request, usage, ending));
    for (const tell of tracked.waiting) tell({ request, usage, ending });
    tracked.waiting = [];
  }

  /** The counts once the request has ended; undefined where it is unknown. `cancel` forgets the question. */
  wait(request: string, tell: (counts: HostCounts) => void): "told" | "waiting" | "unknown" {
    const tracked = this.#tracked.get(request);
    if (tracked === undefined) return "unknown";
    if (tracked.ending === undefined) {
      tracked.waiting.push(tell);
      return "waiting";
    }
    tell({ request, usage: tracked.usage, ending: tracked.ending });
    return "told";
  }

  acknowledge(requests: readonly string[]): void {
    for (const request of requests) {
      // A request that still runs is settled by its end, whatever the gateway believes.
      if (this.#tracked.get(request)?.ending !== undefined) this.#tracked.delete(request);
    }
    if ((this.#tracked.size === 0 && this.#lines > 1_000) || this.#lines > linesBeforeAnew) this.#beginAnew();
  }

  close(): void {
    closeSync(this.#file);
    if (this.#tracked.size === 0) rmSync(this.#path, { force: true });
  }

  #write(text: string): void {
    writeSync(this.#file, text, null, "latin1");
    this.#lines++;
  }

  #begin(): { path: string; file: number } {
    const path = join(this.#folder, `${this.#boot}-${this.#number++}.counts`);
    const file = openSync(path, "ax", 0o600);
    this.#file = file;
    this.#lines = 0;
    for (const [request, { usage, ending }] of this.#tracked) this.#write(line(request, usage, ending));
    return { path, file };
  }

  /** The new file holds what is still needed before the old one goes. */
  #beginAnew(): void {
    const old = { path: this.#path, file: this.#file };
    ({ path: this.#path, file: this.#file } = this.#begin());
    closeSync(old.file);
    rmSync(old.path, { force: true });
  }

  #recover(text: string): void {
    // A line without its end was being written when the process died; the one before it stands.
    for (const entry of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
      const [request, input, cached, output, reasoning, ending] = entry.split(" ");
      if (request === undefined || request === "" || reasoning === undefined) continue;
      const usage = {
        inputTokens: Number(input),
        cachedInputTokens: Number(cached),
        outputTokens: Number(output),
        reasoningTokens: Number(reasoning),
      };
      this.#tracked.set(request, { usage, ending: (ending || "error") as Ending, waiting: [] });
    }
  }
}

function line(request: string, usage: Usage, ending: Ending | undefined): string {
  const { inputTokens, cachedInputTokens, outputTokens, reasoningTokens } = usage;
  return `${request} ${inputTokens} ${cachedInputTokens} ${outputTokens} ${reasoningTokens} ${ending ?? ""}\n`;
}
