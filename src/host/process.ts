/**
 * The host's own program, and its composition root. Started by fabric with one line of settings on standard input,
 * which stays open for as long as the parent lives; it reads nothing else from outside.
 */
import { randomBytes } from "node:crypto";
import { tmpdir, totalmem } from "node:os";
import { createInterface } from "node:readline";
import { createIds, systemClock } from "../base/index.ts";
import { createFake } from "../engine/fake/index.ts";
import type { EngineFactory } from "../engine/index.ts";
import { openFloor } from "./floor.ts";
import { type Host, hostBounds, openHost } from "./host.ts";
import type { Log } from "./log.ts";
import { type HostSettings, readHostSettings } from "./settings.ts";

const log: Log = (level, message, fields) => {
  process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
};

/** Runs until the parent says so, or is gone. */
async function run(settings: HostSettings, parentGone: Promise<void>): Promise<void> {
  let host: Host | undefined;
  let ending: Promise<void> | undefined;
  const end = (limitMs: number): void => {
    ending ??= (host?.stop(limitMs) ?? Promise.resolve()).then(() => process.exit(0), fatal);
  };
  process.on("SIGTERM", () => end(settings.drainMs));
  // The parent's answers ended with it: nobody is left to read what runs here.
  void parentGone.then(() => end(0));
  host = await openHost({
    settings,
    bounds: hostBounds,
    clock: systemClock,
    ids: createIds(systemClock),
    pid: process.pid,
    log,
    factory: () => factoryOf(settings),
    openFloor,
    onHung: (why) => fatal(new Error(why)),
  });
  await host.load();
}

async function factoryOf(settings: HostSettings): Promise<EngineFactory> {
  const { engine } = settings;
  if (engine.kind === "fake") {
    return createFake(engine.fake, systemClock, () => process.kill(process.pid, "SIGKILL"));
  }
  if (engine.kind === "vllm" || engine.kind === "server") return serverFactory(engine.kind, settings);
  const { createLlamaCpp } = await import("../engine/llamacpp/index.ts");
  return createLlamaCpp({ threadPoolSize: settings.threadPoolSize, entropy: randomBytes, clock: systemClock });
}

async function serverFactory(kind: "vllm" | "server", { engine, environment }: HostSettings): Promise<EngineFactory> {
  const { server, memoryBytes, gpu } = engine;
  if (server === undefined) throw new TypeError(`an engine of kind ${kind} needs \`server\`: the program to start`);
  // What a device of a program's has is nowhere to be seen; a processor's memory is the machine's, which has other
  // things to do as well.
  if (memoryBytes === undefined && gpu !== "off")
    throw new TypeError(`an engine of kind ${kind} needs \`memoryBytes\``);
  const { createServer } = await import("../engine/server/index.ts");
  return createServer(kind, {
    settings: server,
    memoryBytes: memoryBytes ?? Math.floor(totalmem() / 2),
    sleeping: server.sleeping,
    clock: systemClock,
    entropy: randomBytes,
    environment,
    temporaryFolder: tmpdir(),
    onLine: (model, line) => log("info", line, { model }),
  });
}

function fatal(error: unknown): never {
  log("error", error instanceof Error ? error.message : String(error));
  process.exit(1);
}

// Files and the socket are for this user alone.
process.umask(0o077);
// The terminal sends these to its whole group; the parent decides what becomes of its hosts.
process.on("SIGINT", () => undefined);
process.on("SIGHUP", () => undefined);
// A parent that is gone reads no log.
process.stderr.on("error", () => undefined);

const lines = createInterface({ input: process.stdin });
const parentGone = new Promise<void>((resolve) => lines.once("close", resolve));
lines.once("line", (line) => {
  new Promise<HostSettings>((resolve) => resolve(readHostSettings(line)))
    .then((settings) => run(settings, parentGone))
    .catch(fatal);
});
