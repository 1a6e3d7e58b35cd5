import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { eventually } from "./cloud.ts";

export const program = fileURLToPath(new URL("../../bin/bailiwick.js", import.meta.url));

/** An `up` as the operator sees it in a terminal, ready or not. */
export interface Started {
  readonly process: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** Waits until it has printed something that matches. */
  printed(pattern: RegExp, withinMs?: number): Promise<RegExpExecArray>;
  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null>;
}

export function startUp(
  args: readonly string[],
  options: { readonly environment?: Readonly<Record<string, string>>; readonly node?: string } = {},
): Started {
  const child = spawn(options.node ?? process.execPath, [program, "up", "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.environment },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  // Its last words come after its end.
  let isOver = false;
  child.once("close", () => (isOver = true));
  return {
    process: child,
    output: () => output,
    async printed(pattern, withinMs = 60_000) {
      let match: RegExpExecArray | null = null;
      const found = (): boolean => (match = pattern.exec(output)) !== null || isOver;
      await eventually(`${pattern} in the output`, found, withinMs).catch((error: unknown) => {
        throw new Error(`${String(error)}:\n${output}`);
      });
      if (match === null) throw new Error(`up ended with ${child.exitCode} before ${pattern}:\n${output}`);
      return match;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "close")) as [number | null];
      return code;
    },
  };
}
