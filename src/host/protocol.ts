import type { Ending, HostId, RequestId, Usage } from "../base/index.ts";

/** The version of the control channel between gateway and host. */
export const hostProtocol = 1;

/** Answer of `GET /host/v1/hello` once the models are loaded (200); before, 503 with `{"loading": name}`. */
export interface HostHello {
  readonly protocol: number;
  readonly host: HostId;
  /** Another one each time that the process starts. */
  readonly boot: string;
  readonly pid: number;
  readonly device: string;
  readonly engine: { readonly name: string; readonly build: string };
  readonly models: readonly HostedModelHello[];
}

export interface HostedModelHello {
  readonly name: string;
  readonly sha256: string;
  readonly contextTokens: number;
  readonly sequences: number;
  readonly endpoints: readonly string[];
}

/** Answer of `GET /host/v1/counts/{request}`. */
export interface HostCounts {
  readonly request: RequestId;
  readonly usage: Usage;
  readonly ending: Ending;
}
