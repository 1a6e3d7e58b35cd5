import { cpus } from "node:os";
import { resolve } from "node:path";
import type { BootOptions } from "../boot/index.ts";
import type { Settings } from "../config/index.ts";
import type { CommandContext } from "./context.ts";
import { PullBar } from "./pull-bar.ts";
import type { Stopping } from "./stopping.ts";
import { terminalLog } from "./terminal-log.ts";
import { readVersion } from "./version.ts";

/** Brings something up that runs until it is told to stop, with the bar and the log lines that a terminal shows meanwhile. */
export async function booting<Outcome>(
  wanted: { readonly settings: Settings; readonly data: string; readonly stopping: Stopping },
  { surroundings, printer }: CommandContext,
  start: (options: BootOptions) => Promise<Outcome>,
): Promise<Outcome> {
  const { settings, data, stopping } = wanted;
  const { createLog } = await import("../telemetry/index.ts");
  const { stderr, clock } = surroundings;
  const bar = new PullBar(stderr, clock);
  let isStarting = true;
  const to = stderr.isTTY === true ? terminalLog(stderr, bar, () => isStarting) : process.stderr;
  try {
    return await start({
      version: readVersion(),
      settings,
      data: resolve(surroundings.currentFolder, data),
      clock,
      randomBytes: surroundings.randomBytes,
      environment: surroundings.environment,
      platform: process.platform,
      cpus: cpus().length,
      temporaryFolder: surroundings.temporaryFolder,
      log: createLog({ level: settings.log.level, to }),
      onStep: (step) => {
        bar.end();
        printer.note(step);
      },
      onPull: (_, step) => bar.show(step),
      signal: stopping.signal,
    });
  } finally {
    bar.end();
    isStarting = false;
  }
}
