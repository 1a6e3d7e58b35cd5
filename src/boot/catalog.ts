import { join } from "node:path";
import { type Catalog, createCommandRunner, openCatalog } from "../catalog/index.ts";
import { refused } from "./failed.ts";
import type { BootOptions } from "./options.ts";

/** The models that a machine has or can have. */
export async function theCatalog(options: BootOptions, data: string): Promise<Catalog> {
  const { settings, clock, environment } = options;
  const opened = await openCatalog({
    folder: settings.models.folder ?? join(data, "models"),
    entries: settings.models.entries,
    airGapped: settings.network.airGapped,
    clock,
    environment,
    runCommand: createCommandRunner(clock),
    hub: {
      url: settings.models.huggingFaceUrl,
      storage: settings.models.huggingFaceStorage,
      accessToken: environment["HF_TOKEN"],
      dispatcher: undefined,
    },
  });
  if (opened.outcome === "refused") throw refused(opened);
  return opened.catalog;
}
