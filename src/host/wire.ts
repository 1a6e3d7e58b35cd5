import type { Ending, Usage } from "../base/index.ts";

/** The version of the control channel between gateway and host. */
export const hostProtocol = 1;

/** `GET /host/v1/hello`. */
export interface HostHello {
  readonly protocol: number;
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly device: string;
  readonly engine: { readonly name: string; readonly build: string };
  readonly models: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly contextTokens: number;
    readonly sequences: number;
    readonly endpoints: readonly string[];
  }[];
}

/** `GET /host/v1/counts/{request}`. */
export interface HostCounts {
  readonly request: string;
  readonly usage: Usage;
  readonly ending: Ending;
}
