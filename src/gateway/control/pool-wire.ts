import { z } from "zod";
import { modelFault, site } from "./wire.ts";

// What hosts do at the moment, as `GET /pool` answers it. Durations are until the figures were told.

const turn = z.object({
  model: z.string(),
  kind: z.enum(["prefill", "decode"]),
  sequences: z.int(),
  forMs: z.number(),
});

const pooledModel = z.object({
  name: z.string(),
  state: z.enum(["resident", "loading", "absent", "failed", "too_large"]).meta({
    description:
      "failed: it could not be loaded and is tried again later; too_large: this device never has room for it.",
  }),
  loadedBytes: z.number().meta({ description: "What it takes once it is loaded." }),
  isPinned: z.boolean(),
  keepWarmMs: z.number().nullable().meta({
    description: "For so long after its last turn it makes room for nobody; null: it does at once.",
  }),
  unloadAfterMs: z.number().nullable().meta({
    description: "Idle for so long, it leaves; null: only where others need the room.",
  }),
  waiting: z.int(),
  running: z.int(),
  slackMs: z.number().nullable().meta({
    description: "How long the first of its next tokens can wait; negative: it is late; null: it has no work.",
  }),
  idleMs: z.number().nullable().meta({ description: "Since its last turn; null: it had none." }),
});

const totals = z.object({
  turns: z.int(),
  loads: z.int(),
  failedLoads: z.int(),
  evictions: z.int(),
  loadedBytes: z.number(),
  refused: z.int(),
  ended: z.int(),
  firstTokensInTime: z.int(),
  inTime: z.int().meta({ description: "Requests that ended and all of whose tokens came in time." }),
  busyMs: z.number().meta({ description: "In which there was a turn." }),
});

const devicePool = z.object({
  device: z.object({
    name: z.string(),
    memoryBytes: z.number(),
    usedBytes: z.number().meta({ description: "By loaded models, and by one that is being loaded, as reckoned." }),
    turn: turn.nullable().meta({ description: "Null where nothing is computed." }),
    loading: z.object({ model: z.string(), forMs: z.number() }).nullable(),
  }),
  models: z.array(pooledModel),
  pending: z.int().meta({ description: "Requests that have no place yet." }),
  totals: totals.meta({ description: "Since the host started." }),
});

const pooledHost = z.object({
  name: z.string(),
  site,
  ready: z.boolean(),
  reason: z.string().nullable().meta({ description: "Why it is not ready." }),
  ageMs: z.number().nullable().meta({ description: "How old `pool` is; null: nothing was told yet." }),
  upForMs: z.number().nullable().meta({ description: "How long the host had been up when it told `pool`." }),
  pool: devicePool.nullable().meta({ description: "What the host last told." }),
  faults: z.array(modelFault).meta({ description: "Models that it was to serve and cannot." }),
});

const reservedNow = z.object({
  reservation: z.string(),
  project: z.string().meta({ description: "`organisation/project`." }),
  device: z.string().nullable().meta({ description: "The host's name; null where a share of the pool is reserved." }),
  share: z.number().nullable(),
  until: z.string(),
});

export const poolStatus = z.object({
  at: z.string().meta({ description: "When this answer was made." }),
  hosts: z.array(pooledHost),
  upstreams: z.array(z.object({ name: z.string(), site, ready: z.boolean(), running: z.int() })),
  reserved: z.array(reservedNow).meta({ description: "What is reserved at the moment." }),
});

export type PoolStatus = z.output<typeof poolStatus>;
export type PooledHost = z.output<typeof pooledHost>;
export type PooledModel = z.output<typeof pooledModel>;
export type DevicePool = z.output<typeof devicePool>;
