import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** What a supervisor is told, as the first line of its standard input. */
export interface Supervised {
  readonly command: readonly string[];
  /** Removed when the program has ended. */
  readonly folder: string;
  /** How long the program may take to end by itself. */
  readonly graceMs: number;
}

export type SupervisorLine = { readonly pid: number } | { readonly ended: string };

export interface ProgramOptions extends Supervised {
  /** All that it sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** What it prints. */
  readonly onLine: (line: string) => void;
}

const lineCharacters = 4_096;
const lastLines = 8;

/** A foreign program in a process group of its own, which ends with this process, however this one ends. */
export class Program {
  /** Resolves to how it ended, and what it printed last. */
  readonly ended: Promise<string>;
  readonly #supervisor: ChildProcess;
  readonly #started = Promise.withResolvers<number>();
  readonly #last: string[] = [];
  #group: number | undefined;
  #how: string | undefined;

  constructor(options: ProgramOptions) {
    const { command, folder, graceMs, environment, onLine } = options;
    const script = fileURLToPath(new URL(`./supervisor${extname(import.meta.url)}`, import.meta.url));
    const supervisor = spawn(process.execPath, [script], {
      // Whoever ends this process's group shall not end the one that cleans up behind it.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...environment },
    });
    this.#supervisor = supervisor;
    createInterface({ input: supervisor.stdout }).on("line", (line) => this.#heard(line));
    createInterface({ input: supervisor.stderr }).on("line", (line) => {
      const text = line.slice(0, lineCharacters);
      this.#last.push(text);
      if (this.#last.length > lastLines) this.#last.shift();
      onLine(text);
    });
    supervisor.stdin.on("error", () => supervisor.stdin.destroy());
    supervisor.stdin.write(`${JSON.stringify({ command, folder, graceMs } satisfies Supervised)}\n`);
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        // A supervisor that was killed leaves its program to us.
        if (this.#how === undefined) this.signal("SIGKILL");
        rmSync(folder, { recursive: true, force: true });
        this.#group = undefined;
        this.#started.reject(new Error(how));
        resolve((this.#how ?? how) + this.lastWords);
      };
      supervisor.once("error", (error) => end(`its supervisor did not start: ${error.message}`));
      supervisor.once("close", () => end("its supervisor was killed"));
    });
    // Whoever asks for it hears of a failure; where nobody does, its end says the same.
    this.#started.promise.catch(() => undefined);
  }

  /** Its process id, which is its group's too. Rejects where it does not start. */
  get started(): Promise<number> {
    return this.#started.promise;
  }

  /** What it printed last, as the end of a sentence about it. */
  get lastWords(): string {
    return this.#last.length === 0 ? "." : [":", ...this.#last].join("\n  ");
  }

  /** Signals its whole group; nothing happens where it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#group === undefined) return;
    try {
      process.kill(-this.#group, signal);
    } catch {
      // Ended in this moment.
    }
  }

  /** Asks it to end, and ends it after its grace. Resolves once nothing of it is left. */
  async stop(): Promise<void> {
    this.#supervisor.stdin?.end();
    await this.ended;
  }

  #heard(text: string): void {
    const line = JSON.parse(text) as SupervisorLine;
    if ("ended" in line) {
      this.#how = line.ended;
      this.#group = undefined;
    } else {
      this.#group = line.pid;
      this.#started.resolve(line.pid);
    }
  }
}
