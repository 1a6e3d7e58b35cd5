import type { Command } from "commander";
import type { Organisation } from "../gateway/control/index.ts";
import { type CloudOptions, dataFolderOf, dataOption } from "./connection.ts";
import { client, type CommandContext, type JsonOption, withJson } from "./context.ts";
import { CommandFailure } from "./failure.ts";
import { readSettings, type SettingsOption, withSettings } from "./settings.ts";

export function addDoctorCommand(program: Command, context: CommandContext): void {
  const { printer, surroundings } = context;
  const description =
    "what this machine has, and what to do about what is missing; exit code 1: something must be done";
  withJson(withSettings(program.command("doctor").description(description).addOption(dataOption()))).action(
    async (options: CloudOptions & JsonOption & SettingsOption) => {
      const { inspectMachine, renderDoctor, thisMachine } = await import("../doctor/index.ts");
      const { models, engine, network, billing } = await readSettings(options, surroundings);
      const report = await inspectMachine(
        thisMachine({
          clock: surroundings.clock,
          environment: surroundings.environment,
          dataFolder: dataFolderOf(options, surroundings),
          currentFolder: surroundings.currentFolder,
          program: engine.server && { kind: engine.kind, ...engine.server },
          airGapped: network.airGapped,
          internal: { named: billing.internal, known: () => organisationsOf(options, context) },
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

/** What the cloud on the data folder says; undefined where none runs there, or it does not answer. */
async function organisationsOf(
  options: CloudOptions,
  context: CommandContext,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const rows = await client(context, options).list<Organisation>("/organisations");
    return new Set(rows.flatMap(({ id, name }) => [id, name]));
  } catch (error) {
    // The doctor needs no server: that it could not be told is what is told.
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}
