import type { Command } from "commander";
import type { PoolStatus } from "../gateway/control/index.ts";
import { type CloudOptions, withCloud } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { hasColour, isScreen } from "./line.ts";
import { seconds } from "./numbers.ts";
import { poolLines } from "./pool-text.ts";
import { blockView, jsonView, type PoolView, screenView } from "./pool-views.ts";
import { Screen } from "./screen.ts";
import { listenToSignals } from "./stopping.ts";
import { watch } from "./watching.ts";

interface Options extends CloudOptions, JsonOption {
  /** Seconds; `true` where none are given. */
  readonly watch?: number | true;
}

const usualSeconds = 2;
/** Who watches wants to know soon that nothing comes. */
const watchTimeoutMs = 10_000;

export function addPoolCommand(program: Command, context: CommandContext): void {
  const { printer } = context;
  const description =
    "what each host does: its memory, whose turn it is, what is copied, its models and their work, and what it did since it started";
  withJson(withCloud(program.command("pool").description(description)))
    .option(
      "--watch [seconds]",
      `show it again and again, in place on a terminal, with --json as a line each; default: every ${usualSeconds} s`,
      seconds(0.1, 3_600),
    )
    .action(async (options: Options) => {
      if (options.watch !== undefined) return watchPool(options, context);
      const status = await client(context, options).get<PoolStatus>("/pool");
      if (options.json === true) return printer.json(status);
      return nothingRuns(status) ? printer.note("There is no host and no upstream.") : printer.lines(poolLines(status));
    });
}

function nothingRuns({ hosts, upstreams }: PoolStatus): boolean {
  return hosts.length + upstreams.length === 0;
}

async function watchPool(options: Options, context: CommandContext): Promise<void> {
  const { stdout, clock } = context.surroundings;
  const intervalSeconds = typeof options.watch === "number" ? options.watch : usualSeconds;
  const view = viewOf(options, context, intervalSeconds);
  const readerLeft = new AbortController();
  // A pipe whose reader went away: nobody is left to be shown anything.
  stdout.on?.("error", () => readerLeft.abort());
  try {
    await watch<PoolStatus>({
      // The data folder is read anew each time: a cloud that starts again may listen elsewhere.
      ask: async (signal) =>
        client(context, options).get<PoolStatus>("/pool", {}, { signal, idleTimeoutMs: watchTimeoutMs }),
      show: (status) => view.show(status),
      away: (failure) => view.away(failure),
      clock,
      intervalMs: intervalSeconds * 1_000,
      signal: AbortSignal.any([listenToSignals(context.surroundings).signal, readerLeft.signal]),
    });
  } finally {
    view.close();
  }
}

function viewOf(options: Options, { printer, surroundings }: CommandContext, intervalSeconds: number): PoolView {
  const { stdout, environment } = surroundings;
  if (options.json === true) return jsonView(printer);
  if (!isScreen(stdout, environment)) return blockView(printer);
  return screenView(new Screen(stdout, hasColour(stdout, environment)), intervalSeconds);
}
