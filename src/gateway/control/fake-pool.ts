import type { DevicePool, PooledModel, PoolStatus } from "./pool-wire.ts";

const model: PooledModel = {
  name: "fake",
  state: "resident",
  loadedBytes: 16_400_000_000,
  isPinned: false,
  keepWarmMs: null,
  unloadAfterMs: null,
  waiting: 0,
  running: 0,
  slackMs: null,
  idleMs: null,
};

const pool: DevicePool = {
  device: {
    name: "NVIDIA H100 80GB HBM3",
    memoryBytes: 78_000_000_000,
    usedBytes: 49_200_000_000,
    turn: { model: "fake", kind: "decode", sequences: 12, forMs: 38 },
    loading: { model: "qwen3-32b", forMs: 1_240 },
  },
  models: [
    { ...model, name: "aya-expanse-8b", state: "absent" },
    { ...model, name: "gemma-3-4b", loadedBytes: 8_600_000_000, isPinned: true, idleMs: 412_000 },
    { ...model, name: "llama-4-maverick", state: "too_large", loadedBytes: 243_000_000_000 },
    { ...model, keepWarmMs: 600_000, unloadAfterMs: 3_600_000, waiting: 2, running: 12, slackMs: 84, idleMs: 0 },
    { ...model, name: "qwen3-32b", state: "loading", loadedBytes: 24_200_000_000, waiting: 3, slackMs: -410 },
    { ...model, name: "mistral-small", state: "failed", loadedBytes: 14_300_000_000 },
  ],
  pending: 3,
  totals: {
    turns: 18_204,
    loads: 14,
    failedLoads: 1,
    evictions: 9,
    loadedBytes: 182_300_000_000,
    refused: 4,
    ended: 5_120,
    firstTokensInTime: 5_094,
    inTime: 5_061,
    busyMs: 2_304_000,
  },
};

export const fakeFault = {
  model: "gemma-3-12b",
  code: "model_invalid",
  message: "The file of gemma-3-12b has 4096 bytes; it was pulled with 7300574880.",
  next: "Mend what it names, or remove the model and pull it again.",
};

/** A device at work: every state of a model, one whose turn it is, one that is being copied and is late. */
export function fakePool(at: string): PoolStatus {
  return {
    at,
    hosts: [
      {
        name: "cpu",
        site: { name: "here", jurisdiction: "DE" },
        ready: true,
        reason: null,
        ageMs: 420,
        upForMs: 3_600_000,
        pool: structuredClone(pool),
        faults: [fakeFault],
      },
    ],
    upstreams: [],
    reserved: [
      { reservation: "rsv_1", project: "ministry/app", device: "cpu", share: null, until: "2026-03-01T18:00:00.000Z" },
      { reservation: "rsv_2", project: "lab/nightly", device: null, share: 0.25, until: "2026-03-04T00:00:00.000Z" },
    ],
  };
}
