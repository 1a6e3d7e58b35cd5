import { type ErrorCode, errorCodes, refuse, type Refusal } from "../base/index.ts";
import {
  type Catalog,
  identityOf,
  type InstalledModel,
  type PullProgress,
  type VerifyOptions,
} from "../catalog/index.ts";
import type { Settings } from "../config/index.ts";
import type { ModelFault, ModelFile } from "../engine/index.ts";
import { Failed, refused } from "./failed.ts";

/** A model's file, and what it was when its digest was verified; the fake's models have none. */
export type ReadyModel = ModelFile & { readonly identity?: string };

export type ReadyModels =
  | { readonly outcome: "ready"; readonly models: readonly ReadyModel[]; readonly faults: readonly ModelFault[] }
  | Refusal;

/**
 * What is wrong with one model's own file or sources, and nothing else: the others are served without it. A name that
 * the catalogue lacks is a mistake in the settings, and a full disk is everybody's: these end a start.
 */
const ownFaults: ReadonlySet<ErrorCode> = new Set(["model_invalid", "model_unavailable"]);

/** What an engine can read, where not everything: it is said before anything is downloaded for it. */
const wantedForms: Partial<Record<Settings["engine"]["kind"], NonNullable<VerifyOptions["wanted"]>>> = {
  llamacpp: { form: "gguf", why: "an engine of kind llamacpp runs GGUF files; kinds vllm and server serve folders" },
  vllm: {
    form: "folder",
    why: "an engine of kind vllm serves folders with config.json and safetensors; name one as file:/its/path",
  },
};

/**
 * The files and folders of the models to serve, pulled where they are not there yet, and what is wrong with those that
 * cannot be had; refused where that is all of them. The fake engine has one model, and no file.
 */
export async function readyModels(
  settings: Settings,
  catalog: Catalog,
  onProgress: (model: string, progress: PullProgress) => void,
  signal: AbortSignal,
): Promise<ReadyModels> {
  const { contextTokens } = settings.engine;
  if (settings.models.serve.length === 0) return { outcome: "ready", models: [], faults: [] };
  if (settings.engine.kind === "fake") {
    const fake = { name: "fake", path: "", sha256: "0".repeat(64), contextTokens };
    return { outcome: "ready", models: [fake], faults: [] };
  }
  const models: ReadyModel[] = [];
  const refusals = new Map<string, Refusal>();
  for (const name of settings.models.serve) {
    const onBytes = (progress: PullProgress): void => onProgress(name, progress);
    const found = await installed(catalog, name, {
      signal,
      onProgress: onBytes,
      wanted: wantedForms[settings.engine.kind],
    });
    if (!("outcome" in found)) {
      const { path, sha256 } = found;
      const identity = await identityOf(path);
      models.push({ name, path, sha256, contextTokens: Math.min(contextTokens, found.contextTokens), identity });
    } else if (ownFaults.has(found.code)) refusals.set(name, found);
    else return found;
  }
  if (models.length === 0) return noneOf([...refusals.values()]);
  return { outcome: "ready", models, faults: [...refusals].map(([model, refusal]) => faultOf(model, refusal)) };
}

/** What ends a start; a start is told what to change in the settings, where a client is told what it may ask for. */
export function cannotServe(refusal: Refusal): Failed {
  const { message, next, code } = refused(refusal);
  return new Failed(message, refusal.code === "model_not_found" ? unknownModel : next, code);
}

const unknownModel =
  "Name a model that `npx bailiwick model list` shows, with --model or in models.serve, or describe it in models.entries.";

/** One refusal for all of them. */
function noneOf([first, ...others]: readonly Refusal[]): Refusal {
  if (others.length === 0) return first!;
  const reasons = [first!, ...others].flatMap(({ message, reasons: more = [] }) => [message, ...more]);
  return refuse(first!.code, "None of the models to serve can be had.", { reasons });
}

function faultOf(model: string, { code, message, reasons = [] }: Refusal): ModelFault {
  return { model, code, message: [message, ...reasons].join(" "), next: errorCodes[code].next };
}

interface Wanted {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PullProgress) => void;
  readonly wanted: VerifyOptions["wanted"] | undefined;
}

/** A model's file or folder, looked at, and pulled where it is not there yet. */
async function installed(
  catalog: Catalog,
  name: string,
  { signal, onProgress, wanted }: Wanted,
): Promise<InstalledModel | Refusal> {
  const verified = await catalog.verify(name, { signal, onProgress, ...(wanted && { wanted }) });
  if (verified.outcome === "verified") return verified.model;
  return verified.code === "model_not_found" ? pulledModel(catalog, name, onProgress, signal) : verified;
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
