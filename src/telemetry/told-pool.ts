import type { ToldModel } from "../engine/index.ts";
import type { PoolOfHost } from "./pool-meters.ts";

const absent: ToldModel = {
  name: 'n"\n',
  state: "absent",
  loadedBytes: 10,
  isPinned: false,
  waiting: 0,
  running: 0,
};
const busy: ToldModel = { ...absent, name: "m", state: "resident", waiting: 2, running: 3, slackMs: -250, idleMs: 0 };

/** What a host tells of two models, for tests. */
export const told: PoolOfHost = {
  host: "host_1",
  ageMs: 400,
  pool: {
    device: {
      name: "CPU",
      memoryBytes: 100,
      usedBytes: 10,
      turn: { model: "m", kind: "decode", sequences: 3, forMs: 5 },
    },
    models: [busy, absent],
    pending: 1,
    totals: {
      turns: 7,
      loads: 2,
      failedLoads: 1,
      evictions: 1,
      loadedBytes: 30,
      refused: 4,
      ended: 9,
      firstTokensInTime: 8,
      inTime: 6,
      busyMs: 1_500,
    },
  },
};
