import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { RunningCloud } from "../boot/index.ts";
import type { Settings } from "../config/index.ts";
import { booting } from "./booting.ts";
import type { CommandContext } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readyText, welcomeText } from "./ready-text.ts";
import { withSettings } from "./settings.ts";
import { listenToSignals } from "./stopping.ts";
import { engineKinds, portOf, readUpSettings, type UpOptions } from "./up-settings.ts";
import { readVersion } from "./version.ts";

/** `bailiwick up`: brings a cloud up, proves at its first start that it works, and runs until it is told to stop. */
export function addUpCommand(program: Command, context: CommandContext): void {
  withSettings(program.command("up").description("bring a cloud up on this machine"))
    .option("--data <folder>", "the data folder", "./.bailiwick")
    .option("--host <address>", "address to listen on (default: 127.0.0.1)")
    .option("--port <port>", "port to listen on; 0 takes a free one (default: 8080)", portOf)
    .option("--site <code>", "the jurisdiction that this machine stands in, as ISO 3166 has it: DE")
    .option("--database-url <url>", "an existing PostgreSQL; left out, an embedded one is supervised")
    .addOption(
      new Option(
        "--engine <kind>",
        "what runs models; vllm and server start the program of the settings' engine.server",
      ).choices(engineKinds),
    )
    .option("--model <name...>", "models to serve")
    .option("--upstream <url>", "an OpenAI-compatible server to stand in front of")
    .option("--upstream-key <variable>", "the environment variable that holds the upstream's key")
    .option(
      "--upstream-site <code>",
      "the jurisdiction that the upstream stands in; on this machine (a loopback address) it is this machine's",
    )
    .action(async (options: UpOptions) => up(options, context));
}

async function up(options: UpOptions, context: CommandContext): Promise<void> {
  const { surroundings, printer } = context;
  const settings = await readUpSettings(options, surroundings);
  const data = resolve(surroundings.currentFolder, options.data);
  printer.note(`Starting Bailiwick ${readVersion()} on ${data}`);
  const stopping = listenToSignals(surroundings);
  const startedMs = surroundings.clock.monotonicMs();
  const { boot } = await import("../boot/index.ts");
  const cloud = await booting({ settings, data, stopping }, context, boot);
  if (cloud.outcome === "failed") throw new CommandFailure("cannot_start", cloud.message, { next: cloud.next });
  if (cloud.outcome === "stopped") return printer.note("Stopped before it was up.");
  const readyMs = Math.round(surroundings.clock.monotonicMs() - startedMs);
  const isServing = cloud.models().length > 0;
  const first = isServing ? await cloud.first : undefined;
  // A stop does not wait for the proof, and the key is shown all the same.
  if (first !== undefined) await Promise.race([proven(cloud, first.key, settings, context), stopping.asked]);
  printer.text(readyText(cloud, { readyMs, settings, isServing, hasKey: first !== undefined }));
  if (first !== undefined) printer.text(welcomeText(cloud, first.key));
  // An installation that had nothing to ask shows what it can do as soon as it has.
  if (!isServing) void welcomeLater(cloud, settings, context);
  await stopping.asked;
  printer.note(stoppingText(cloud, settings));
  await cloud.stop(stopping.hurry);
  context.end(0);
}

/** A proof that fails is told of and ends nothing: the key that it was made with must be shown. */
async function proven(
  cloud: RunningCloud,
  key: string,
  settings: Settings,
  { printer }: CommandContext,
): Promise<void> {
  const { prove } = await import("./proof.ts");
  try {
    await prove(cloud, key, settings, printer);
  } catch (error) {
    printer.note(`\nThe first question failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function welcomeLater(cloud: RunningCloud, settings: Settings, context: CommandContext): Promise<void> {
  try {
    const first = await cloud.first;
    if (first === undefined) return;
    await proven(cloud, first.key, settings, context);
    context.printer.text(welcomeText(cloud, first.key));
  } catch (error) {
    context.printer.note(`The first key could not be made: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function stoppingText(cloud: RunningCloud, { drain }: Settings): string {
  const running = cloud.inFlight();
  if (running === 0) return "Stopping: nothing runs.";
  const answers = running === 1 ? "1 answer runs" : `${running} answers run`;
  return `Stopping: ${answers}, with up to ${drain.timeoutMs / 1_000} s to finish. Ctrl-C again ends ${running === 1 ? "it" : "them"} now.`;
}
