import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { HostId } from "../base/index.ts";
import { HostDestination } from "../destinations/index.ts";
import { startHost } from "../fabric/index.ts";
import type { BootOptions } from "./options.ts";
import type { Stops } from "./database.ts";
import { Failed } from "./failed.ts";
import { declaredSite } from "./declared-site.ts";
import type { Reserved } from "./reserved.ts";
import { messageOf } from "./words.ts";

export function hostDestination(options: BootOptions, host: HostId): HostDestination {
  const { settings, clock, log } = options;
  return new HostDestination({
    name: host,
    site: declaredSite(settings.site),
    clock,
    connections: settings.limits.requestsInFlight,
    firstByteTimeoutMs: 600_000,
    idleTimeoutMs: 120_000,
    onFailure: (what, error) => log.debug({ what, reason: messageOf(error) }, "the host did not answer"),
  });
}

const environmentOfHosts = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"];

/** Starts this machine's host; resolves once it is ready for the first time. Rejects where it ends before that. */
export function startOwnHost(
  options: BootOptions,
  data: string,
  host: HostId,
  destination: HostDestination,
  models: Parameters<typeof startHost>[0]["settings"]["models"],
  reserved: Reserved,
  stops: Stops,
): Promise<void> {
  const { settings, clock, log, environment } = options;
  const socketFolder = mkdtempSync(join(options.temporaryFolder, "bailiwick-host-"));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let lastWords = "";
  const { engine, fake } = settings;
  const process = startHost({
    settings: {
      host,
      folder: join(data, "host"),
      engine: {
        kind: engine.kind,
        threads: engine.threads === "auto" ? Math.max(1, options.cpus - 1) : engine.threads,
        sequences: engine.kind === "fake" ? settings.limits.requestsInFlight : engine.sequences,
        gpu: engine.gpu,
        prefillSliceTokens: engine.prefillSliceTokens,
        ...(engine.memoryBytes === "auto" ? {} : { memoryBytes: engine.memoryBytes }),
        loadTimeoutMs: engine.loadTimeoutMs,
        ...(engine.server === undefined ? {} : { server: programOf(engine.server) }),
        fake: { firstTokenMs: fake.firstTokenMs, tokenMs: fake.tokenMs, answerTokens: fake.tokens },
      },
      models: models.map((model) => ({ ...model, ...stayOf(model.name, settings) })),
      objective: settings.tiers.standard,
      queuedPerModel: settings.limits.queuedPerModel,
      bodyBytes: settings.limits.bodyBytes * 2,
      leaseSeconds: 10,
      drainMs: settings.drain.timeoutMs,
    },
    socketFolder,
    environment: Object.fromEntries(
      environmentOfHosts.flatMap((name) => {
        const value = environment[name];
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    clock,
    onLine: (line) => {
      lastWords = line;
      const { level, message, ...facts } = hostLine(line);
      log[level]({ host, ...facts }, message);
    },
    reservations: () => reserved.ofHost(host),
    onPool: (pool) => destination.told(pool),
    onState: (state, socketPath) => {
      if (state.phase === "ready") {
        destination.up({ socketPath, engine: state.hello.engine, models: state.hello.models });
        resolve();
        return;
      }
      destination.down();
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
    await destination.close();
    await process.stop();
    rmSync(socketFolder, { recursive: true, force: true });
  });
  return promise;
}

/** The program that serves a model. `sleeping` is left out where nothing is said of it: then its command decides. */
function programOf({ sleeping, ...program }: NonNullable<BootOptions["settings"]["engine"]["server"]>) {
  return { ...program, ...(sleeping === undefined ? {} : { sleeping }) };
}

/** What the settings say of a model's stay in memory. */
function stayOf(name: string, { models }: BootOptions["settings"]) {
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
