import type { Ending, HostId, RequestId, Usage } from "../base/index.ts";
import type { ModelFault, ToldPool } from "../engine/index.ts";

/** The version of the control channel between gateway and host. */
export const hostProtocol = 1;

/** Answer of `GET /host/v1/hello` once the models are loaded (200); before, 503 with `{"loading": name}`. */
export interface HostHello {
  readonly protocol: number;
  readonly host: HostId;
  /** Another one each time that the process starts. */
  readonly boot: string;
  /** The host's own clock, in milliseconds since 1970: times between two machines are told by the difference. */
  readonly atMs: number;
  readonly pid: number;
  readonly device: string;
  readonly engine: { readonly name: string; readonly build: string };
  readonly models: readonly HostedModelHello[];
  /** What it was to serve and cannot; left out by hosts of earlier releases. */
  readonly faults?: readonly ModelFault[];
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
  /** When it ends by the host's clock, in milliseconds since 1970; left out: nobody knows. It may be ended before. */
  readonly untilMs?: number;
}

/** Body of `POST /host/v1/forget`: whose prompts are to be found in no cache any more. */
export interface HostForget {
  readonly tenant: string;
}

/** Answer of `POST /host/v1/forget`, once nothing idle remembers anything of the tenant's. */
export interface HostForgotten {
  /** Requests of the tenant's that run or wait here; what they leave is forgotten at their end. */
  readonly running: number;
}

/** Answer of `POST /host/v1/lease`: whoever renews it hears what the device does. */
export interface HostLeaseAnswer {
  /** As in the hello: a process that has taken another's place is asked for its own. */
  readonly boot: string;
  readonly atMs: number;
  /** It is stopping: what runs may end, and nothing new is taken. */
  readonly isStopping: boolean;
  /** Undefined until the engine is open. */
  readonly pool?: ToldPool;
}

/** Answer of `GET /host/v1/pool`, and a part of the lease's: the gateway keeps it as it comes. */
export type { ToldModel as HostPoolModel, ToldPool as HostPool } from "../engine/index.ts";
