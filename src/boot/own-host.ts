import { join } from "node:path";
import type { HostId } from "../base/index.ts";
import { HostDestination, HostSilent } from "../destinations/index.ts";
import type { DestinationSite, ModelFault } from "../engine/index.ts";
import { startHost, type StartHostOptions } from "../fabric/index.ts";
import type { HostHello, HostPool, HostReservation } from "../host/index.ts";
import { makeProcessFolder, removeAbandoned } from "../installation/index.ts";
import type { BootOptions } from "./options.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import { messageOf } from "./words.ts";

/** How long a host takes new work without a word from its gateway. */
export const leaseSeconds = 10;

type HostOptions = Pick<BootOptions, "settings" | "cpus" | "clock" | "log" | "environment" | "temporaryFolder">;

export function hostDestination(options: BootOptions, host: HostId, site: () => DestinationSite): HostDestination {
  const { settings, clock, log } = options;
  return new HostDestination({
    name: host,
    site,
    clock,
    connections: settings.limits.requestsInFlight,
    firstByteTimeoutMs: 600_000,
    idleTimeoutMs: 120_000,
    onFailure: (what, error) => log.debug({ what, host, reason: messageOf(error) }, "the host did not answer"),
  });
}

/** What a host, and each program that it starts, sees of the environment: a way to its programs, and which devices are its own. */
export const environmentOfHosts = [
  "PATH",
  "HOME",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "CUDA_VISIBLE_DEVICES",
  "CUDA_DEVICE_ORDER",
  "HIP_VISIBLE_DEVICES",
  "ROCR_VISIBLE_DEVICES",
  "ASCEND_RT_VISIBLE_DEVICES",
  "GGML_VK_VISIBLE_DEVICES",
];

/** Who hears of this machine's host. */
export interface HostWatcher {
  up(socketPath: string, hello: HostHello): void;
  down(): void;
  /** It is down because nobody hears it: nothing closes what runs there. */
  silent(): void;
  told(pool: HostPool): void;
  /** Before its process is stopped. */
  close(): Promise<void>;
}

export interface OwnHost {
  readonly host: HostId;
  /** The data folder. */
  readonly data: string;
  /** That of `openSocketFolder`. */
  readonly socketFolder: string;
  readonly models: StartHostOptions["settings"]["models"];
  /** What it was to serve besides. */
  readonly faults: readonly ModelFault[];
  readonly watcher: HostWatcher;
  /** Left out: another machine's gateway holds its lease, and tells it what is reserved. */
  readonly reservations?: () => readonly HostReservation[];
}

/** A watcher for whom this machine's host is one of the gateway's destinations. */
export function watcherFor(destination: HostDestination): HostWatcher {
  let reach = { socketPath: "" };
  return {
    up: (socketPath, { boot, engine, models, faults = [] }) => {
      // Heard again it is the same process on the same socket.
      if (reach.socketPath !== socketPath) reach = { socketPath };
      destination.up({ reach, boot, engine, models, faults });
    },
    down: () => destination.down(),
    silent: () => {
      destination.down(`it was not heard for ${leaseSeconds} s`);
      destination.cut(new HostSilent(leaseSeconds));
    },
    told: (pool) => destination.told(pool),
    close: () => destination.close(),
  };
}

/** Starts this machine's host; resolves once it is ready for the first time. Rejects where it ends before that. */
export function startOwnHost(options: HostOptions, own: OwnHost, stops: Stops): Promise<void> {
  const { clock, log } = options;
  const { host, watcher, reservations } = own;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let lastWords = "";
  const { engine } = options.settings;
  const process = startHost({
    settings: hostSettings(options, own),
    socketFolder: own.socketFolder,
    environment: environmentOf(options),
    clock,
    isLeasedElsewhere: reservations === undefined,
    onLine: (line) => {
      lastWords = line;
      const { level, message, ...facts } = hostLine(line);
      log[level]({ host, ...facts }, message);
    },
    reservations: () => reservations?.() ?? [],
    onPool: (pool) => watcher.told(pool),
    onState: (state, socketPath) => {
      if (state.phase === "ready") {
        watcher.up(socketPath, state.hello);
        resolve();
        return;
      }
      if (state.phase === "silent") {
        log.warn({ host, seconds: leaseSeconds }, "the host is not heard; what ran there is given up");
        return watcher.silent();
      }
      watcher.down();
      if (state.phase !== "restarting") return;
      log.warn({ reason: state.reason, inMs: state.inMs }, "the host ended; it is started again");
      // Before its first readiness a host that ends has a cause that the operator must see; later ones pass.
      reject(
        new Failed(
          `The engine did not start: ${lastWords === "" ? state.reason : hostLine(lastWords).message}`,
          engine.server === undefined
            ? "`npx bailiwick doctor` says what is missing."
            : "Look at engine.server in the settings; what its program printed is in the log.",
        ),
      );
    },
  });
  stops.push(async () => {
    await watcher.close();
    await process.stop();
  });
  return promise;
}

const socketFolderPrefix = "bailiwick-host-";

/** Where a host's sockets lie. Those that killed runs have left, of whichever installation, are removed on the way. */
export async function openSocketFolder({ temporaryFolder, log }: HostOptions, stops: Stops): Promise<string> {
  try {
    const removed = await removeAbandoned(temporaryFolder, socketFolderPrefix);
    if (removed.length > 0) log.info({ folders: removed }, "what killed hosts have left was removed");
  } catch (error) {
    // A start does not depend on it: the next one tries again.
    log.warn({ reason: messageOf(error) }, "what killed hosts have left could not be removed");
  }
  const folder = await makeProcessFolder(temporaryFolder, socketFolderPrefix);
  stops.push(() => folder.remove());
  return folder.path;
}

function hostSettings(
  { settings, cpus }: HostOptions,
  { host, data, models, faults }: OwnHost,
): StartHostOptions["settings"] {
  const { engine, fake } = settings;
  return {
    host,
    folder: join(data, "host"),
    engine: {
      kind: engine.kind,
      threads: engine.threads === "auto" ? Math.max(1, cpus - 1) : engine.threads,
      sequences: engine.kind === "fake" ? settings.limits.requestsInFlight : engine.sequences,
      gpu: engine.gpu,
      prefillSliceTokens: engine.prefillSliceTokens,
      ...(engine.memoryBytes === "auto" ? {} : { memoryBytes: engine.memoryBytes }),
      loadTimeoutMs: engine.loadTimeoutMs,
      ...(engine.server === undefined ? {} : { server: programOf(engine.server) }),
      fake: { firstTokenMs: fake.firstTokenMs, tokenMs: fake.tokenMs, answerTokens: fake.tokens },
    },
    models: models.map((model) => ({ ...model, ...stayOf(model.name, settings) })),
    faults: [...faults],
    objective: settings.tiers.standard,
    queuedPerModel: settings.limits.queuedPerModel,
    bodyBytes: settings.limits.bodyBytes * 2,
    leaseSeconds,
    drainMs: settings.drain.timeoutMs,
  };
}

function environmentOf({ environment }: HostOptions): Readonly<Record<string, string>> {
  return Object.fromEntries(
    environmentOfHosts.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The program that serves a model. `sleeping` is left out where nothing is said of it: then its command decides. */
function programOf({ sleeping, ...program }: NonNullable<HostOptions["settings"]["engine"]["server"]>) {
  return { ...program, ...(sleeping === undefined ? {} : { sleeping }) };
}

/** What the settings say of a model's stay in memory. */
function stayOf(name: string, { models }: HostOptions["settings"]) {
  const said = models.resident.find((each) => each.name === name);
  if (said === undefined) return {};
  const { pin, keepWarmMs, unloadAfterMs } = said;
  return { pin, keepWarmMs, ...(unloadAfterMs === undefined ? {} : { unloadAfterMs }) };
}

/** A line that the host logged; one that is not its own (a native library's) is passed on as text. */
function hostLine(line: string): { readonly level: "info" | "warn" | "error"; readonly message: string } {
  try {
    const said = JSON.parse(line) as { level?: unknown; message?: unknown };
    const level = said.level === "warn" || said.level === "error" ? said.level : "info";
    return { ...said, level, message: typeof said.message === "string" ? said.message : line };
  } catch {
    // Not JSON: a native library's words.
    return { level: "info", message: line };
  }
}
