import type { Clock } from "../base/index.ts";
import type { PullProgress } from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import type { Log } from "../telemetry/index.ts";

/** What a cloud is brought up with; the command line has read it from the outside world. */
export interface BootOptions {
  readonly version: string;
  readonly settings: Settings;
  /** The data folder's path. */
  readonly data: string;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Buffer;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly cpus: number;
  readonly temporaryFolder: string;
  readonly log: Log;
  /** What is being done now, in words: "starting the database". */
  readonly onStep: (step: string) => void;
  readonly onPull: (model: string, progress: PullProgress) => void;
  readonly signal: AbortSignal;
}
