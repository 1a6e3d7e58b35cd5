import type { HostId } from "../base/index.ts";
import type { FakeSettings } from "../engine/fake/index.ts";
import type { ModelFile } from "../engine/index.ts";

/** What a host process is started with: one line of JSON on its standard input, which then stays open. */
export interface HostSettings {
  readonly host: HostId;
  readonly boot: string;
  readonly socketPath: string;
  /** Where it keeps counts; survives the process. */
  readonly folder: string;
  readonly engine: {
    readonly kind: "llamacpp" | "fake";
    readonly threads: number;
    readonly sequences: number;
    readonly gpu: "auto" | "off" | "cuda" | "vulkan" | "metal";
    readonly prefillSliceTokens: number;
    readonly fake: FakeSettings;
  };
  readonly models: readonly ModelFile[];
  readonly queuedPerModel: number;
  readonly bodyBytes: number;
  readonly leaseSeconds: number;
  readonly drainMs: number;
}
