import { stat } from "node:fs/promises";
import { RefusalError } from "../../base/index.ts";
import { readGguf } from "../../catalog/index.ts";
import type { ModelFile } from "../types.ts";
import { readModelFolder } from "./model-folder.ts";
import type { ModelFacts } from "./size.ts";

/** Reads a folder in the Hugging Face layout, or a GGUF file. Rejects with `model_invalid` what is neither. */
export async function readModel({ path }: ModelFile): Promise<ModelFacts> {
  if ((await stat(path)).isDirectory()) return readModelFolder(path);
  const shape = await readGguf(path);
  if (shape.outcome === "refused") throw new RefusalError(shape);
  const { fileBytes, parameters, layers, keyValueBytesPerToken = 0, chatTemplate } = shape;
  return {
    weightsBytes: fileBytes,
    parameters,
    layers,
    kvBytesPerToken: keyValueBytesPerToken,
    chats: chatTemplate.kind === "present",
    turnTokens: [],
  };
}
