/** What a host last told of its device and of the models there. */
export interface PoolFigures {
  /** Monotonic milliseconds of the gateway's clock. */
  readonly toldAtMs: number;
  /** How long the host's process had been up by then: its totals are since that long. */
  readonly upForMs: number;
  readonly pool: ToldPool;
}

/** What a host's device does now, as it tells it itself. Times are milliseconds, durations until this answer. */
export interface ToldPool {
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
  readonly models: readonly ToldModel[];
  /** Requests that have no place yet. */
  readonly pending: number;
  /** How long the totals are of; left out by hosts of earlier releases. */
  readonly upForMs?: number;
  /** Since the host's process started. */
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

export interface ToldModel {
  readonly name: string;
  /** `failed`: it could not be loaded and is tried again later. `too_large`: this device never has room for it. */
  readonly state: "resident" | "loading" | "absent" | "failed" | "too_large";
  /** What it takes once it is loaded. */
  readonly loadedBytes: number;
  readonly isPinned: boolean;
  /** For so long after its last turn it makes room for nobody; absent: it does at once. */
  readonly keepWarmMs?: number;
  /** Idle for so long, it leaves; absent: only where others need the room. */
  readonly unloadAfterMs?: number;
  readonly waiting: number;
  readonly running: number;
  /** How long the first of its next tokens can wait; negative: it is late; absent: it has no work. */
  readonly slackMs?: number;
  /** Until a short prompt that came now would have its first token; absent: it cannot be had here. */
  readonly firstTokenMs?: number;
  /** Since its last turn; absent: it had none. */
  readonly idleMs?: number;
}
