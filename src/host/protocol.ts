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

/** Body of `POST /host/v1/lease`. */
export interface HostLease {
  readonly seconds: number;
  /** All that is reserved now and concerns this host; left out: as it was. */
  readonly reservations?: readonly HostReservation[];
}

export interface HostReservation {
  readonly id: string;
  readonly tenant: string;
  /** This host, whole. */
  readonly device?: string;
  /** Or a share of what it can do. */
  readonly share?: number;
}

/** Answer of `POST /host/v1/lease`: whoever renews it hears what the device does. */
export interface HostLeaseAnswer {
  /** Undefined until the engine is open. */
  readonly pool?: HostPool;
}

/** Answer of `GET /host/v1/pool`: what the device does now. Times are milliseconds, durations until this answer. */
export interface HostPool {
  readonly device: {
    readonly name: string;
    readonly memoryBytes: number;
    /** By loaded models (and by one that is being loaded), as reckoned. */
    readonly usedBytes: number;
    readonly turn?: {
      readonly model: string;
      readonly kind: "prefill" | "decode";
      readonly sequences: number;
      readonly forMs: number;
    };
    readonly loading?: { readonly model: string; readonly forMs: number };
  };
  readonly models: readonly HostPoolModel[];
  /** Requests that have no place yet. */
  readonly pending: number;
  /** Since the host started. */
  readonly totals: {
    readonly turns: number;
    readonly loads: number;
    readonly failedLoads: number;
    readonly evictions: number;
    readonly loadedBytes: number;
    readonly refused: number;
    /** Requests that ended, and those of them whose first token, and all of whose tokens, came in time. */
    readonly ended: number;
    readonly firstTokensInTime: number;
    readonly inTime: number;
    /** Milliseconds in which there was a turn. */
    readonly busyMs: number;
  };
}

export interface HostPoolModel {
  readonly name: string;
  /** `failed`: it could not be loaded and is tried again later. `too_large`: this device never has room for it. */
  readonly state: "resident" | "loading" | "absent" | "failed" | "too_large";
  /** What it takes once it is loaded. */
  readonly loadedBytes: number;
  readonly isPinned: boolean;
  readonly waiting: number;
  readonly running: number;
  /** How long the first of its next tokens can wait; negative: it is late; absent: it has no work. */
  readonly slackMs?: number;
  /** Until a short prompt that came now would have its first token; absent: it cannot be had here. */
  readonly firstTokenMs?: number;
  /** Since its last turn; absent: it had none. */
  readonly idleMs?: number;
}
