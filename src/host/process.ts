/**
 * The host's own program: started by fabric with one line of settings on standard input, which stays open for as long
 * as the parent lives. It reads nothing else from outside but its UV_THREADPOOL_SIZE, on which the engine insists.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { systemClock } from "../base/index.ts";
import { createFake } from "../engine/fake/index.ts";
import type { Engine, EngineFactory } from "../engine/index.ts";
import type { AnsweringOptions, ServedModel } from "./answering.ts";
import { Places } from "./places.ts";
import { Progress } from "./progress.ts";
import { HostServer } from "./server.ts";
import type { HostSettings } from "./settings.ts";
import { type HostHello, hostProtocol } from "./wire.ts";

const endpoints = ["chat.completions", "completions"];

function log(level: "info" | "warn" | "error", message: string): void {
  process.stderr.write(`${JSON.stringify({ level, message })}\n`);
}

async function main(settings: HostSettings, parentGone: Promise<void>): Promise<void> {
  const progress = new Progress(settings.folder, settings.boot);
  let ready: { readonly hello: HostHello; readonly answering: AnsweringOptions } | undefined;
  let loading = "the engine";
  const host = new HostServer({
    clock: systemClock,
    bodyBytes: settings.bodyBytes,
    ready: () => ready,
    loading: () => loading,
  });
  rmSync(settings.socketPath, { force: true });
  await new Promise<void>((resolve, reject) => {
    host.server.once("error", reject);
    host.server.listen(settings.socketPath, resolve);
  });
  chmodSync(settings.socketPath, 0o600);

  let ending: Promise<void> | undefined;
  const end = (drainMs: number): void => {
    ending ??= (async () => {
      await host.drain(drainMs);
      progress.close();
      rmSync(settings.socketPath, { force: true });
      process.exit(0);
    })();
  };
  process.on("SIGTERM", () => end(settings.drainMs));
  // The terminal sends it to the whole group; the parent decides what becomes of its hosts.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  void parentGone.then(() => end(0));

  const factory = await factoryOf(settings);
  const engine = await factory.open(settings.engine);
  const models = new Map<string, ServedModel>();
  for (const model of settings.models) {
    loading = model.name;
    const loaded = await engine.load(model);
    models.set(model.name, { loaded, places: new Places(loaded.sequences, settings.queuedPerModel) });
  }
  const answering = { clock: systemClock, progress, models, engineBuild: engine.build, log };
  ready = { hello: helloOf(settings, engine, models), answering };
  log("info", `${engine.build} serves ${[...models.keys()].join(", ")} on ${engine.device}`);
}

async function factoryOf(settings: HostSettings): Promise<EngineFactory> {
  const { kind, fake } = settings.engine;
  if (kind === "fake") return createFake(fake, systemClock, () => process.kill(process.pid, "SIGKILL"));
  const { createLlamaCpp } = await import("../engine/llamacpp/index.ts");
  return createLlamaCpp({
    threadPoolSize: process.env["UV_THREADPOOL_SIZE"],
    entropy: (count) => randomBytes(count),
    clock: systemClock,
  });
}

function helloOf(settings: HostSettings, engine: Engine, models: ReadonlyMap<string, ServedModel>): HostHello {
  return {
    protocol: hostProtocol,
    host: settings.host,
    boot: settings.boot,
    pid: process.pid,
    device: engine.device,
    engine: { name: engine.name, build: engine.build },
    models: [...models.values()].map(({ loaded }) => ({
      name: loaded.model.name,
      sha256: loaded.model.sha256,
      contextTokens: loaded.contextTokens,
      sequences: loaded.sequences,
      endpoints,
    })),
  };
}

const lines = createInterface({ input: process.stdin });
const parentGone = new Promise<void>((resolve) => lines.once("close", resolve));
lines.once("line", (line) => {
  main(JSON.parse(line) as HostSettings, parentGone).catch((error: unknown) => {
    log("error", error instanceof Error ? error.message : String(error));
    process.exit(1);
  });
});
