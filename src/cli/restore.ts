import { resolve } from "node:path";
import type { Command } from "commander";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readSettings, type SettingsOption, withSettings } from "./settings.ts";

type Options = JsonOption &
  SettingsOption & { readonly data: string; readonly databaseUrl?: string; readonly erasures?: string };

/** `bailiwick restore`: makes a data folder from a backup; needs no server, and none may run on it. */
export function addRestoreCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description = "make a data folder from a backup, brought up to this release";
  withJson(withSettings(program.command("restore <backup>").description(description)))
    .option("--data <folder>", "the data folder to make", "./.bailiwick")
    .option("--database-url <url>", "an empty PostgreSQL database; left out, an embedded one is made")
    .option("--erasures <file>", "the ledger of erasures, as it is now: those after the backup are done again")
    .action(async (backup: string, options: Options) => {
      const { restoreBackup } = await import("../boot/index.ts");
      const { createLog } = await import("../telemetry/index.ts");
      const overrides = options.databaseUrl === undefined ? {} : { database: { url: options.databaseUrl } };
      const settings = await readSettings(options, surroundings, overrides);
      const result = await restoreBackup({
        settings,
        from: resolve(surroundings.currentFolder, backup),
        data: resolve(surroundings.currentFolder, options.data),
        erasures: options.erasures === undefined ? undefined : resolve(surroundings.currentFolder, options.erasures),
        clock: surroundings.clock,
        randomBytes: surroundings.randomBytes,
        environment: surroundings.environment,
        temporaryFolder: surroundings.temporaryFolder,
        platform: process.platform,
        log: createLog({ level: "warn", to: process.stderr }),
      });
      if (result.outcome === "failed")
        throw new CommandFailure("cannot_restore", result.message, { next: result.next });
      const { data, takenAt, erasures } = result;
      const known = erasures === undefined ? null : erasures.entries.length;
      if (options.json === true) {
        return printer.json({ data, takenAt, erasures: known, unreadable: erasures?.unreadable ?? [] });
      }
      printer.text(`${data}\n`);
      printer.note(`It is as of ${takenAt}; \`npx bailiwick up --data ${data}\` starts it.`);
      if (erasures === undefined) {
        return printer.note(
          "No ledger of erasures was given (--erasures): what was erased after that is back, but for stored content. Restore " +
            "again with the ledger, or erase it again by the signed statements of erasures since.",
        );
      }
      if (erasures.unreadable.length > 0) {
        printer.note(`Lines of the ledger that are no entries: ${erasures.unreadable.slice(0, 20).join(", ")}.`);
      }
      return printer.note(
        `The ledger has ${known} erasures; those that the backup does not know are done again when it starts.`,
      );
    });
}
