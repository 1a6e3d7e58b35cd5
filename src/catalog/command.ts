import { spawn } from "node:child_process";
import type { Clock } from "../base/index.ts";

/** A program and its arguments; never a line for a shell. */
export interface Command {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Everything that the program sees of the environment, PATH included. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Of standard output and of standard error each; what comes after it is dropped. */
  readonly outputBytes: number;
  readonly signal?: AbortSignal;
}

export type CommandResult =
  | { readonly outcome: "exited"; readonly code: number; readonly output: string; readonly errors: string }
  | { readonly outcome: "not_found" }
  /** It ran past its time, was told to stop, ended by a signal, or could not be started for another reason. */
  | { readonly outcome: "failed"; readonly message: string };

export type RunCommand = (command: Command) => Promise<CommandResult>;

const graceMs = 2_000;

/** Runs programs as children of this process. Times are the given clock's; a child that ignores SIGTERM is killed. */
export function createCommandRunner(clock: Clock): RunCommand {
  return (command) =>
    new Promise((resolve) => {
      if (command.signal?.aborted === true) {
        resolve({ outcome: "failed", message: "stopped before it began" });
        return;
      }
      const child = spawn(command.program, command.arguments, {
        env: { ...command.environment },
        stdio: ["ignore", "pipe", "pipe"],
        windowsHide: true,
      });
      const output = collect(child.stdout, command.outputBytes);
      const errors = collect(child.stderr, command.outputBytes);
      let stoppedFor: string | undefined;
      let cancelKill = () => {};
      const stop = (why: string) => {
        if (stoppedFor !== undefined) return;
        stoppedFor = why;
        child.kill("SIGTERM");
        cancelKill = clock.after(graceMs, () => child.kill("SIGKILL"));
      };
      const cancelTimeout = clock.after(command.timeoutMs, () => stop(`no answer within ${command.timeoutMs} ms`));
      const onAbort = () => stop("stopped");
      command.signal?.addEventListener("abort", onAbort, { once: true });
      let settled = false;
      const finish = (result: CommandResult) => {
        if (settled) return;
        settled = true;
        cancelTimeout();
        cancelKill();
        cancelDrain();
        command.signal?.removeEventListener("abort", onAbort);
        resolve(result);
      };
      let cancelDrain = () => {};
      const ended = (code: number | null, signal: string | null) => {
        if (stoppedFor !== undefined) finish({ outcome: "failed", message: stoppedFor });
        else if (code === null) finish({ outcome: "failed", message: `ended by ${signal ?? "a signal"}` });
        else finish({ outcome: "exited", code, output: output(), errors: errors() });
      };
      child.once("error", (error: NodeJS.ErrnoException) => {
        const missing = error.code === "ENOENT" || error.code === "ENOTDIR";
        finish(missing ? { outcome: "not_found" } : { outcome: "failed", message: error.message });
      });
      child.once("close", ended);
      // A grandchild that keeps the pipes open must not keep us waiting for the end of the output.
      child.once("exit", (code, signal) => {
        cancelDrain = clock.after(graceMs, () => {
          child.stdout.destroy();
          child.stderr.destroy();
          ended(code, signal);
        });
      });
    });
}

function collect(stream: NodeJS.ReadableStream, limitBytes: number): () => string {
  const chunks: Buffer[] = [];
  let kept = 0;
  stream.on("data", (chunk: Buffer) => {
    if (kept >= limitBytes) return;
    const part = chunk.subarray(0, limitBytes - kept);
    chunks.push(part);
    kept += part.length;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
