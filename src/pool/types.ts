/** What the pool is told of, in its own words. All times are milliseconds of one clock, whichever; sizes are bytes. */
import type { Objective } from "../base/index.ts";

export type { Objective };

/**
 * How fast one model is on one device. A prompt of t tokens takes `prefillFixedMs` + t x `prefillTokenMs` +
 * t^2 x `prefillTokenSquaredMs`; one decode step of b sequences that have c tokens of context together takes
 * `decodeFixedMs` + b x `decodeSequenceMs` + c x `decodeContextTokenMs`.
 */
export interface Speed {
  readonly prefillFixedMs: number;
  readonly prefillTokenMs: number;
  readonly prefillTokenSquaredMs: number;
  readonly decodeFixedMs: number;
  readonly decodeSequenceMs: number;
  readonly decodeContextTokenMs: number;
  /** From host memory until it can run. */
  readonly loadMs: number;
}

export interface PoolModel {
  readonly id: string;
  readonly weightsBytes: number;
  readonly kvBytesPerToken: number;
  /** Prompt and answer together. */
  readonly contextTokens: number;
  /** Sequences that may run at once; absent: as many as the memory holds. */
  readonly sequencesMax?: number;
  /** Always resident where it fits: loaded before anybody asks, and never evicted. */
  readonly isPinned?: boolean;
  /** For so long after its last turn it makes room for nobody. */
  readonly keepWarmMs?: number;
  /** After so long without work its weights leave, also where nobody needs the room. */
  readonly unloadAfterMs?: number;
}

export interface PoolDevice {
  readonly id: string;
  /** What `speed` is looked up by. */
  readonly type: string;
  /** For weights and KV together. */
  readonly memoryBytes: number;
  /** Between this device and host memory. */
  readonly linkBytesPerMs: number;
  /**
   * Whether KV stays where its weights leave. Absent: yes. Where an engine cannot part them, a model leaves only when it
   * runs nothing.
   */
  readonly keepsKv?: boolean;
}

export interface PoolRequest {
  readonly id: string;
  readonly model: string;
  /** Who shares fairly with whom. */
  readonly tenant: string;
  readonly objective: Objective;
  readonly inputTokens: number;
  /** More will not be generated. */
  readonly maxOutputTokens: number;
  /** The devices where it may run; absent: on any. A device that joins later is none of them. */
  readonly permitted?: ReadonlySet<string>;
  /** It may run on what others have reserved and leave idle, and makes room there at once when they come. */
  readonly isPreemptible?: boolean;
  /** How much of what is scarce its tenant has beside one of weight 1, which is what is taken without it; above 0. */
  readonly weight?: number;
}

/** What a tenant has reserved, from when the pool hears of it until it hears of its end. */
export interface Reservation {
  readonly id: string;
  readonly tenant: string;
  /** This device, whole: nobody else runs there but what is preemptible. */
  readonly device?: string;
  /** Of what the devices that nobody has to himself can do: this part is the tenant's before others have theirs. */
  readonly share?: number;
}

/** What happened. Devices report turns, not tokens. */
export type PoolEvent =
  | { readonly kind: "arrived"; readonly request: PoolRequest }
  /** Whoever asked has left. Where it has a turn, it is part of it until it ends. */
  | { readonly kind: "cancelled"; readonly request: string }
  /** The weights are on the device. */
  | { readonly kind: "loaded"; readonly device: string; readonly model: string }
  /** They are not, and will not be by this try. */
  | { readonly kind: "loadFailed"; readonly device: string; readonly model: string }
  /** A device can be used from now on. */
  | { readonly kind: "deviceJoined"; readonly device: PoolDevice }
  /** A device is gone, and all that was on it. */
  | { readonly kind: "deviceLost"; readonly device: string }
  | { readonly kind: "reserved"; readonly reservation: Reservation }
  | { readonly kind: "reservationEnded"; readonly reservation: string }
  /**
   * A turn is over. A prefill has given each of its requests one token; a decode turn has given each of its requests
   * `steps` tokens, or fewer where it is in `finished`.
   */
  | {
      readonly kind: "turnEnded";
      readonly device: string;
      readonly steps: number;
      readonly finished: readonly string[];
    }
  /** The sequence's KV is there. */
  | { readonly kind: "moved"; readonly request: string; readonly device: string }
  /** An earlier `wake` is due. */
  | { readonly kind: "woken" };

/** What happens where nothing fails and nobody leaves. */
export type WorkEvent = Extract<PoolEvent, { kind: "arrived" | "loaded" | "turnEnded" | "moved" | "woken" }>;

/** What is to be done about it. */
export type Effect =
  | {
      readonly kind: "refuse";
      readonly request: string;
      readonly reason: RefusalReason;
      /** When one like it could be taken, by what is known now; absent: it cannot be told. */
      readonly retryAfterMs?: number;
    }
  /** It had tokens already, and what it needs to go on is gone (a device, or the weights for good): it ends here. */
  | { readonly kind: "fail"; readonly request: string; readonly reason?: "preempted" }
  /** Room for the weights is there: copying begins. One copy at a time on a device, beside its turns. */
  | { readonly kind: "load"; readonly device: string; readonly model: string }
  /** Not while the model has a turn. */
  | { readonly kind: "evict"; readonly device: string; readonly model: string }
  /** The prompts of these requests, together. */
  | { readonly kind: "prefill"; readonly device: string; readonly model: string; readonly requests: readonly string[] }
  /** Steps for these sequences until `untilMs` has passed (never less than one step), or all have finished. */
  | {
      readonly kind: "decode";
      readonly device: string;
      readonly model: string;
      readonly requests: readonly string[];
      readonly untilMs: number;
    }
  /** The decode turn under way ends with its present step. */
  | { readonly kind: "stop"; readonly device: string }
  /** The sequence's KV leaves its device for another, beside the turns of both. */
  | { readonly kind: "move"; readonly request: string; readonly to: string }
  /** The sequence's KV is given up: its prompt and answer so far have to be computed again. */
  | { readonly kind: "drop"; readonly request: string }
  | { readonly kind: "wake"; readonly atMs: number };

export type RefusalReason =
  /** Its deadlines cannot be met. */
  | "overloaded"
  /** No device has the memory. */
  | "model_too_large"
  /** Only devices where it may not run have the memory. */
  | "not_permitted"
  /** Its weights could not be loaded anywhere, several times. */
  | "load_failed"
  /** Whatever it could run on is reserved for somebody else. */
  | "reserved"
  | "unknown_model";

/** Decides: the pool's own core, and what it is compared with. It hears of events in the order of their times. */
export interface Scheduler {
  decide(event: WorkEvent, nowMs: number): readonly Effect[];
}

/** What a scheduler is made for. */
export interface Fleet {
  readonly devices: readonly PoolDevice[];
  readonly models: readonly PoolModel[];
  readonly speed: (model: PoolModel, device: PoolDevice) => Speed;
}
