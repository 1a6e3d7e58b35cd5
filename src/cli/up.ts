import { cpus } from "node:os";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { BootFailure, RunningCloud } from "../boot/index.ts";
import type { SettingsOverrides } from "../config/index.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { PullBar } from "./pull-bar.ts";
import { readSettings, withSettings } from "./settings.ts";
import { readVersion } from "./version.ts";

interface UpOptions {
  readonly data: string;
  readonly config?: string;
  readonly host?: string;
  readonly port?: string;
  readonly site?: string;
  readonly databaseUrl?: string;
  readonly engine?: "llamacpp" | "fake";
  readonly model?: readonly string[];
  readonly upstream?: string;
  readonly upstreamKey?: string;
}

/** `bailiwick up`: brings a cloud up, proves at its first start that it works, and runs until it is told to stop. */
export function addUpCommand(program: Command, context: CommandContext): void {
  withSettings(program.command("up").description("bring a cloud up on this machine"))
    .option("--data <folder>", "the data folder", "./.bailiwick")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "port to listen on; 0 takes a free one (default: 8080)")
    .option("--site <code>", "the jurisdiction that this machine stands in, as ISO 3166 has it: DE")
    .option("--database-url <url>", "an existing PostgreSQL; left out, an embedded one is supervised")
    .option("--engine <kind>", "llamacpp or fake")
    .option("--model <name...>", "models to serve")
    .option("--upstream <url>", "an OpenAI-compatible server to stand in front of")
    .option("--upstream-key <variable>", "the environment variable that holds the upstream's key")
    .action(async (options: UpOptions) => up(options, context));
}

async function up(options: UpOptions, context: CommandContext): Promise<void> {
  const { surroundings, printer } = context;
  const settings = await readSettings(options, surroundings, overridesOf(options));
  const { boot } = await import("../boot/index.ts");
  const { createLog } = await import("../telemetry/index.ts");
  const stopped = new AbortController();
  const signalled = new Promise<void>((done) => {
    // A terminal sends the signal to the whole group, so that it may come twice: a repeat changes nothing.
    surroundings.onStopSignal(() => {
      stopped.abort(new Error("stopped"));
      done();
    });
  });
  const startedMs = surroundings.clock.monotonicMs();
  const bar = new PullBar(surroundings.stderr, surroundings.clock);
  const cloud: RunningCloud | BootFailure = await boot({
    version: readVersion(),
    settings,
    data: resolve(surroundings.currentFolder, options.data),
    clock: surroundings.clock,
    randomBytes: surroundings.randomBytes,
    environment: surroundings.environment,
    platform: process.platform,
    cpus: cpus().length,
    temporaryFolder: surroundings.temporaryFolder,
    log: createLog({ level: settings.log.level, to: process.stderr }),
    onStep: () => undefined,
    onPull: (_, step) => bar.show(step),
    signal: stopped.signal,
  }).finally(() => bar.end());
  if (cloud.outcome === "failed") throw new CommandFailure("cannot_start", cloud.message, { next: cloud.next });
  const readyMs = Math.round(surroundings.clock.monotonicMs() - startedMs);
  if (cloud.first !== undefined && !stopped.signal.aborted) {
    const { prove } = await import("./proof.ts");
    await prove(cloud, cloud.first.key, settings, printer);
  }
  printer.text(`\nBailiwick is ready after ${readyMs} ms at ${cloud.url}\n`);
  if (settings.site.jurisdiction === undefined) {
    printer.text("No jurisdiction is declared (--site DE): public data only is served.\n");
  }
  if (cloud.first !== undefined) printer.text(welcome(cloud, cloud.first.key));
  await signalled;
  printer.note("Stopping: running answers finish first.");
  await cloud.stop();
  context.end(0);
}

function overridesOf(options: UpOptions): SettingsOverrides {
  const { host, port, site, databaseUrl, engine, model, upstream, upstreamKey } = options;
  const onlyUpstream = upstream !== undefined && model === undefined && engine === undefined;
  return {
    ...(host === undefined && port === undefined
      ? {}
      : { listen: { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port: Number(port) }) } }),
    ...(site === undefined ? {} : { site: { jurisdiction: site } }),
    ...(databaseUrl === undefined ? {} : { database: { url: databaseUrl } }),
    ...(engine === undefined ? {} : { engine: { kind: engine } }),
    ...(model === undefined && !onlyUpstream ? {} : { models: { serve: [...(model ?? [])] } }),
    ...(upstream === undefined ? {} : { upstreams: [upstreamOf(upstream, upstreamKey, site)] }),
  };
}

/** A server named on the command line stands where this machine does, as far as its owner has said. */
function upstreamOf(url: string, keyEnvironment: string | undefined, jurisdiction: string | undefined) {
  return {
    name: "upstream",
    url,
    ...(keyEnvironment === undefined ? {} : { keyEnvironment }),
    ...(jurisdiction === undefined ? {} : { site: { name: "upstream", jurisdiction } }),
  };
}

function welcome(cloud: RunningCloud, key: string): string {
  return `
Organisation and project "default", with their first key, shown this once:

  ${key}

  curl ${cloud.url}/v1/chat/completions \\
    -H "authorization: Bearer ${key}" -H "content-type: application/json" \\
    -d '{"model": "${cloud.models[0] ?? "MODEL"}", "messages": [{"role": "user", "content": "Say hello."}]}'

`;
}
