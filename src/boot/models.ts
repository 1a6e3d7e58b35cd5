import { refuse, type Refusal } from "../base/index.ts";
import type { Catalog, PullProgress } from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import type { ModelFile } from "../engine/index.ts";

export type ReadyModels = { readonly outcome: "ready"; readonly models: readonly ModelFile[] } | Refusal;

/** The files of the models to serve, pulled where they are not there yet. The fake engine has one model, and no file. */
export async function readyModels(
  settings: Settings,
  catalog: Catalog,
  onProgress: (model: string, progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<ReadyModels> {
  const { contextTokens } = settings.engine;
  if (settings.engine.kind === "fake") {
    const fake = { name: "fake", path: "", sha256: "0".repeat(64), contextTokens };
    return { outcome: "ready", models: [fake] };
  }
  const models: ModelFile[] = [];
  for (const name of settings.models.serve) {
    const verified = await catalog.verify(name);
    if (verified.outcome === "refused" && verified.code !== "model_not_found") return verified;
    const pulled =
      verified.outcome === "verified"
        ? verified.model
        : await pulledModel(catalog, name, (progress) => onProgress(name, progress), signal);
    if ("outcome" in pulled) return pulled;
    const { path, sha256 } = pulled;
    models.push({ name, path, sha256, contextTokens: Math.min(contextTokens, pulled.contextTokens) });
  }
  return { outcome: "ready", models };
}

async function pulledModel(
  catalog: Catalog,
  name: string,
  onProgress: (progress: PullProgress) => void,
  signal: AbortSignal,
) {
  const pulled = await catalog.pull(name, { onProgress, signal });
  if (pulled.outcome === "refused") {
    const { reasons } = pulled;
    return refuse(pulled.code, `The model ${name} could not be had: ${pulled.message}`, reasons && { reasons });
  }
  return pulled.model;
}
