import type { Clock } from "../../base/index.ts";

/** What the engine takes from the process that it runs in. */
export interface LlamaCppNeeds {
  /** The process's UV_THREADPOOL_SIZE. */
  readonly threadPoolSize: string | undefined;
  /** Random bytes, for seeds and the ids of tool calls. */
  readonly entropy: (count: number) => Buffer;
  readonly clock: Clock;
}
