import { z } from "zod";
import type { HostId } from "../base/index.ts";

const path = z.string().min(1).max(4_096);
const count = z.int().nonnegative();

const modelFile = z.strictObject({
  name: z.string().min(1),
  path: z.string(),
  sha256: z.string(),
  contextTokens: count,
  /** What the file was when its digest was verified (`identityOf`); left out: it is not looked at again. */
  identity: z.string().exactOptional(),
  /** Loaded at the start and never evicted. */
  pin: z.boolean().exactOptional(),
  /** For so long after its last use it makes room for no other model. */
  keepWarmMs: count.exactOptional(),
  /** After so long without use it leaves, also where nobody needs the room. */
  unloadAfterMs: count.exactOptional(),
});

const modelFault = z.strictObject({ model: z.string(), code: z.string(), message: z.string(), next: z.string() });

/** A program that serves one model over the OpenAI API: vLLM, or any other. */
const server = z.strictObject({
  /** Its program and arguments; in these names in braces are replaced (docs/operating/engines.md). No shell. */
  command: z.array(z.string().min(1).max(4_096)).min(1).max(100).readonly(),
  /** Added to the environment that hosts have. */
  environment: z.record(z.string(), z.string()),
  /** Until it answers. */
  startTimeoutMs: count.min(1),
  /** Programs of kind vllm that are kept asleep when their model leaves; left out: 2 where the command lets them sleep. */
  sleeping: count.exactOptional(),
});

const engine = z.strictObject({
  /** `server`: any program that serves a model over the OpenAI API; its turns are stopping and continuing its processes. */
  kind: z.enum(["llamacpp", "vllm", "server", "fake"]),
  threads: count.min(1),
  /** Answers computed at once on one model. */
  sequences: count.min(1),
  gpu: z.enum(["auto", "off", "cuda", "vulkan", "metal"]),
  prefillSliceTokens: count.min(1),
  /** For weights and KV of all loaded models together; left out: what the engine finds. */
  memoryBytes: count.min(1).exactOptional(),
  /** How long a model may take to load before it counts as failed. */
  loadTimeoutMs: count.min(1),
  /** What kinds vllm and server start. */
  server: server.exactOptional(),
  /** The fake's pace and failures; another engine has no use for them. */
  fake: z.strictObject({
    firstTokenMs: z.number().nonnegative().exactOptional(),
    tokenMs: z.number().nonnegative().exactOptional(),
    answerTokens: count.exactOptional(),
    crashAfter: count.exactOptional(),
    failAfter: count.exactOptional(),
    hangAfter: count.exactOptional(),
    loadMs: z.number().nonnegative().exactOptional(),
    loadedBytes: count.exactOptional(),
    failLoads: z.array(z.string()).readonly().exactOptional(),
    hangLoads: z.array(z.string()).readonly().exactOptional(),
  }),
});

const hostSettings = z.strictObject({
  host: z.custom<HostId>((value) => typeof value === "string" && value.startsWith("host_")),
  /** Another one each time that the process starts; later ones sort behind earlier ones. */
  boot: z.string().regex(/^[\w-]{1,64}$/),
  /** At most about 100 bytes: the kernel's limit on a socket's path. */
  socketPath: path,
  /** Where the counts of unacknowledged requests are kept; of this host alone. */
  folder: path,
  engine,
  models: z.array(modelFile).max(100).readonly(),
  /** What was to be served besides, and whose files are not to be had: told with the hello. */
  faults: z.array(modelFault).max(100).readonly().exactOptional(),
  /** Of a request that says nothing of it: milliseconds to the first token, and from token to token. */
  objective: z.strictObject({ ttftMs: z.number().positive(), tpotMs: z.number().positive() }),
  /** Answers that may wait for one model; more are refused. */
  queuedPerModel: count,
  bodyBytes: count.min(1),
  /** Length of the lease that the parent renews each second. */
  leaseSeconds: z.number().positive(),
  /** How long answers may finish after SIGTERM. */
  drainMs: count,
  /** All that programs which it starts see of the environment, but for what their own settings add. */
  environment: z.record(z.string(), z.string()),
  /** The UV_THREADPOOL_SIZE that this process was started with. */
  threadPoolSize: z.string(),
});

/** What a host process is told on its standard input, as one line of JSON. The input then stays open. */
export type HostSettings = z.input<typeof hostSettings>;

/** Throws where the line is not what this version's parent sends. */
export function readHostSettings(line: string): HostSettings {
  const parsed = hostSettings.safeParse(JSON.parse(line));
  if (!parsed.success) throw new TypeError(`the host's settings are wrong: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
