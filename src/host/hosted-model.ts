import type { ModelSize } from "../engine/index.ts";

/** A model that this host serves, in memory or not. */
export interface HostedModel {
  readonly name: string;
  readonly sha256: string;
  readonly size: ModelSize;
  /** OpenAI's `system_fingerprint`. */
  readonly fingerprint: string;
}
