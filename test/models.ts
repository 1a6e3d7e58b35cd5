import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../src/base/index.ts";
import { createCommandRunner, defaultModel, openCatalog } from "../src/catalog/index.ts";
import type { ModelFile } from "../src/engine/index.ts";

/**
 * The default model's file for tests: pulled through the catalogue once, verified, and kept under the system's folder
 * for temporary files. Test files that ask at the same time wait for one pull. Throws where it cannot be had.
 */
export async function testModel(name: string = defaultModel, contextTokens = 2_048): Promise<ModelFile> {
  const opened = await openCatalog({
    folder: join(tmpdir(), "bailiwick-test-models"),
    entries: [],
    hub: { url: undefined, accessToken: undefined, dispatcher: undefined },
    environment: process.env,
    clock: systemClock,
    runCommand: createCommandRunner(systemClock),
  });
  if (opened.outcome === "refused") throw new Error(opened.message);
  const pulled = await opened.catalog.pull(name);
  if (pulled.outcome === "refused") throw new Error(`${pulled.message} ${(pulled.reasons ?? []).join("; ")}`);
  const { path, sha256 } = pulled.model;
  return { name, path, sha256, contextTokens };
}
