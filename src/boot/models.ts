import { refuse, type Refusal } from "../base/index.ts";
import { type Catalog, identityOf, type PullProgress, type VerifyOptions } from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import type { ModelFile } from "../engine/index.ts";

/** A model's file, and what it was when its digest was verified; the fake's models have none. */
export type ReadyModel = ModelFile & { readonly identity?: string };

export type ReadyModels = { readonly outcome: "ready"; readonly models: readonly ReadyModel[] } | Refusal;

/** What an engine can read, where not everything: it is said before anything is downloaded for it. */
const wantedForms: Partial<Record<Settings["engine"]["kind"], NonNullable<VerifyOptions["wanted"]>>> = {
  llamacpp: { form: "gguf", why: "an engine of kind llamacpp runs GGUF files; kinds vllm and server serve folders" },
  vllm: {
    form: "folder",
    why: "an engine of kind vllm serves folders with config.json and safetensors; name one as file:/its/path",
  },
};

/** The files and folders of the models to serve, pulled where they are not there yet. The fake engine has one model, and no file. */
export async function readyModels(
  settings: Settings,
  catalog: Catalog,
  onProgress: (model: string, progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<ReadyModels> {
  const { contextTokens } = settings.engine;
  if (settings.models.serve.length === 0) return { outcome: "ready", models: [] };
  if (settings.engine.kind === "fake") {
    const fake = { name: "fake", path: "", sha256: "0".repeat(64), contextTokens };
    return { outcome: "ready", models: [fake] };
  }
  const models: ReadyModel[] = [];
  for (const name of settings.models.serve) {
    const onBytes = (progress: PullProgress): void => onProgress(name, progress);
    const wanted = wantedForms[settings.engine.kind];
    const verified = await catalog.verify(name, { signal, onProgress: onBytes, ...(wanted && { wanted }) });
    if (verified.outcome === "refused" && verified.code !== "model_not_found") return verified;
    const pulled = verified.outcome === "verified" ? verified.model : await pulledModel(catalog, name, onBytes, signal);
    if ("outcome" in pulled) return pulled;
    const { path, sha256 } = pulled;
    const identity = await identityOf(path);
    models.push({ name, path, sha256, contextTokens: Math.min(contextTokens, pulled.contextTokens), identity });
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
