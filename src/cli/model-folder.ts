import { join, resolve } from "node:path";
import type { Catalog } from "../catalog/index.ts";
import { dataFolderOf, type CloudOptions } from "./connection.ts";
import { failureOf } from "./failure.ts";
import { readSettings, type SettingsOption } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** The catalogue straight from the data folder, for when no server runs on it: a model can be pulled before `up`. */
export async function openModelFolder(
  options: CloudOptions & SettingsOption,
  surroundings: Surroundings,
): Promise<Catalog> {
  const { createCommandRunner, openCatalog } = await import("../catalog/index.ts");
  const { models, network } = await readSettings(options, surroundings);
  const data = dataFolderOf(options, surroundings);
  const opened = await openCatalog({
    folder: models.folder === undefined ? join(data, "models") : resolve(surroundings.currentFolder, models.folder),
    entries: models.entries,
    airGapped: network.airGapped,
    clock: surroundings.clock,
    environment: surroundings.environment,
    runCommand: createCommandRunner(surroundings.clock),
    hub: {
      url: models.huggingFaceUrl,
      storage: models.huggingFaceStorage,
      accessToken: surroundings.environment["HF_TOKEN"],
      dispatcher: undefined,
    },
  });
  if (opened.outcome === "refused") throw failureOf(opened);
  return opened.catalog;
}
