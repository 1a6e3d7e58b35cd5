/** What a host last told of its device and of the models there. */
export interface PoolFigures {
  /** Monotonic milliseconds of the gateway's clock. */
  readonly toldAtMs: number;
  /** How long the host had been up by then: its totals are since that long. */
  readonly upForMs: number;
  readonly pool: ToldPool;
}

/** The answer of a host's `GET /host/v1/pool`, by its shape: hosts know engines, engines know no host. */
export interface ToldPool {
  readonly device: {
    readonly name: string;
    readonly memoryBytes: number;
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
  readonly pending: number;
  readonly totals: {
    readonly turns: number;
    readonly loads: number;
    readonly failedLoads: number;
    readonly evictions: number;
    readonly loadedBytes: number;
    readonly refused: number;
    readonly ended: number;
    readonly firstTokensInTime: number;
    readonly inTime: number;
    readonly busyMs: number;
  };
}

export interface ToldModel {
  readonly name: string;
  readonly state: "resident" | "loading" | "absent" | "failed" | "too_large";
  readonly loadedBytes: number;
  readonly isPinned: boolean;
  readonly waiting: number;
  readonly running: number;
  readonly slackMs?: number;
  readonly firstTokenMs?: number;
  readonly idleMs?: number;
}
