import { z } from "zod";
import type { HostId } from "../base/index.ts";
import type { HostHello, HostLeaseAnswer } from "../host/index.ts";

// What a host on another machine says is somebody else's text: it is read before anything stands on it.

const text = z.string().min(1).max(400);
const figure = z.number();
const models = <Model extends z.ZodType>(model: Model) => z.array(model).max(1_000).readonly();

/** Of any version, so that one that is too new can be told so. */
export const spoken = z.looseObject({ protocol: z.int() });

export const loading = z.object({ loading: text });

export const hello = z.object({
  protocol: z.int(),
  host: z.custom<HostId>((value) => typeof value === "string" && value.length < 100),
  boot: text,
  atMs: figure,
  pid: z.int(),
  device: text,
  engine: z.object({ name: text, build: text }),
  models: models(
    z.object({
      name: text,
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      contextTokens: z.int().positive(),
      sequences: z.int().positive(),
      endpoints: z.array(text).max(100).readonly(),
    }),
  ),
  faults: models(z.object({ model: text, code: text, message: z.string().max(400), next: text })).exactOptional(),
}) satisfies z.ZodType<HostHello>;

const pool = z.object({
  device: z.object({
    name: text,
    memoryBytes: figure,
    usedBytes: figure,
    turn: z
      .object({ model: text, kind: z.enum(["prefill", "decode"]), sequences: figure, forMs: figure })
      .exactOptional(),
    loading: z.object({ model: text, forMs: figure }).exactOptional(),
  }),
  models: models(
    z.object({
      name: text,
      state: z.enum(["resident", "loading", "absent", "failed", "too_large"]),
      loadedBytes: figure,
      isPinned: z.boolean(),
      keepWarmMs: figure.exactOptional(),
      unloadAfterMs: figure.exactOptional(),
      waiting: figure,
      running: figure,
      slackMs: figure.exactOptional(),
      firstTokenMs: figure.exactOptional(),
      idleMs: figure.exactOptional(),
    }),
  ),
  pending: figure,
  upForMs: figure.exactOptional(),
  totals: z.object({
    turns: figure,
    loads: figure,
    failedLoads: figure,
    evictions: figure,
    loadedBytes: figure,
    refused: figure,
    ended: figure,
    firstTokensInTime: figure,
    inTime: figure,
    busyMs: figure,
  }),
});

export const leaseAnswer = z.object({
  boot: text,
  atMs: figure,
  isStopping: z.boolean(),
  pool: pool.exactOptional(),
}) satisfies z.ZodType<HostLeaseAnswer>;

/** A hello that was kept as JSON; undefined: it is none, or another release's. */
export function parseHello(kept: string): HostHello | undefined {
  try {
    return hello.safeParse(JSON.parse(kept)).data;
  } catch {
    // Not JSON, so nothing that was kept.
    return undefined;
  }
}
