import type { Clock, Ids } from "../base/index.ts";

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
  /** A terminal changes its size; what is written reaches nobody any more. */
  on?(event: "resize" | "error", run: () => void): unknown;
  off?(event: "resize" | "error", run: () => void): unknown;
}

/** What a command finds around it; main.ts, which alone may look, hands it in. */
export interface Surroundings {
  /** Behind the program's own name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Not opened before it is asked for: a terminal would wait for its user. */
  readonly stdin: () => AsyncIterable<Uint8Array | string>;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly currentFolder: string;
  readonly temporaryFolder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly randomBytes: (count: number) => Buffer;
  /** Calls back at each SIGINT, SIGTERM or SIGHUP, which then no longer end the process by themselves. */
  readonly onStopSignal: (run: (signal: NodeJS.Signals) => void) => void;
}
