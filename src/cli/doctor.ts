import type { Command } from "commander";
import { type CloudOptions, dataFolderOf, dataOption } from "./connection.ts";
import { type CommandContext, type JsonOption, withJson } from "./context.ts";
import { readSettings, type SettingsOption, withSettings } from "./settings.ts";

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "what this machine has, and what to do about what is missing; exit code 1: something must be done";
  withJson(withSettings(program.command("doctor").description(description).addOption(dataOption()))).action(
    async (options: CloudOptions & JsonOption & SettingsOption) => {
      const { inspectMachine, renderDoctor, thisMachine } = await import("../doctor/index.ts");
      const { models, engine, network } = await readSettings(options, surroundings);
      const report = await inspectMachine(
        thisMachine({
          clock: surroundings.clock,
          environment: surroundings.environment,
          dataFolder: dataFolderOf(options, surroundings),
          currentFolder: surroundings.currentFolder,
          program: engine.server && { kind: engine.kind, ...engine.server },
          airGapped: network.airGapped,
          hub: {
            url: models.huggingFaceUrl,
            storage: models.huggingFaceStorage,
            accessToken: surroundings.environment["HF_TOKEN"],
            dispatcher: undefined,
          },
        }),
      );
      context.end(report.findings.some(({ status }) => status === "problem") ? 1 : 0);
      if (options.json === true) return printer.json(report);
      return printer.text(renderDoctor(report));
    },
  );
}
