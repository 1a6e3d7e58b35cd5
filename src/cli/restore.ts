import { resolve } from "node:path";
import type { Command } from "commander";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readSettings, type SettingsOption, withSettings } from "./settings.ts";

type Options = JsonOption & SettingsOption & { readonly data: string; readonly databaseUrl?: string };

/** `bailiwick restore`: makes a data folder from a backup; needs no server, and none may run on it. */
export function addRestoreCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "make a data folder from a backup, brought up to this release";
  withJson(withSettings(program.command("restore <backup>").description(description)))
    .option("--data <folder>", "the data folder to make", "./.bailiwick")
    .option("--database-url <url>", "an empty PostgreSQL database; left out, an embedded one is made")
    .action(async (backup: string, options: Options) => {
      const { restoreBackup } = await import("../boot/index.ts");
      const { createLog } = await import("../telemetry/index.ts");
      const overrides = options.databaseUrl === undefined ? {} : { database: { url: options.databaseUrl } };
      const settings = await readSettings(options, surroundings, overrides);
      const result = await restoreBackup({
        settings,
        from: resolve(surroundings.currentFolder, backup),
        data: resolve(surroundings.currentFolder, options.data),
        clock: surroundings.clock,
        randomBytes: surroundings.randomBytes,
        environment: surroundings.environment,
        temporaryFolder: surroundings.temporaryFolder,
        platform: process.platform,
        log: createLog({ level: "warn", to: process.stderr }),
      });
      if (result.outcome === "failed")
        throw new CommandFailure("cannot_restore", result.message, { next: result.next });
      if (options.json === true) return printer.json({ data: result.data, takenAt: result.takenAt });
      printer.text(`${result.data}\n`);
      printer.note(`It is as of ${result.takenAt}; \`npx bailiwick up --data ${result.data}\` starts it.`);
      return printer.note(
        "What was erased after that is back, but for stored content: erase it again, by the signed statements of erasures since.",
      );
    });
}
