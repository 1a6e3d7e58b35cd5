import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { errorCodes } from "../base/index.ts";
import type { Engine, ModelFault, ModelSize } from "../engine/index.ts";
import type { HostSettings } from "./settings.ts";

const count = z.number().nonnegative();
const known = z.record(
  z.string(),
  z.strictObject({
    loadedBytes: count,
    kvBytesPerToken: count,
    weightsBytes: count,
    parameters: count,
    layers: count,
    chats: z.boolean(),
    contextTokens: count,
  }),
);

export interface Sizes {
  readonly sizes: ReadonlyMap<string, ModelSize>;
  readonly unreadable: readonly ModelFault[];
}

/**
 * What each model takes and is like, as the engine says it: kept beside the counts, because reading a large file's header
 * takes a while. A model that cannot be read is told of instead. Rejects where that leaves none.
 */
export async function sizesOf(settings: HostSettings, engine: Engine): Promise<Sizes> {
  const path = join(settings.folder, "sizes.json");
  const kept = readKept(path);
  const all: Record<string, ModelSize> = {};
  const sizes = new Map<string, ModelSize>();
  const program = programDigest(settings);
  const unreadable: ModelFault[] = [];
  for (const model of settings.models) {
    const { sequences, prefillSliceTokens } = settings.engine;
    const key = JSON.stringify([
      engine.build,
      model.sha256,
      model.contextTokens,
      sequences,
      prefillSliceTokens,
      ...program,
    ]);
    try {
      const size = kept[key] ?? (await engine.sizeOf(model));
      all[key] = size;
      sizes.set(model.name, size);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      unreadable.push({ model: model.name, code: "model_invalid", message, next: errorCodes.model_invalid.next });
    }
  }
  if (sizes.size === 0) throw new Error(unreadable.at(-1)?.message ?? "there is no model");
  keep(path, all);
  return { sizes, unreadable };
}

function keep(path: string, sizes: Readonly<Record<string, ModelSize>>): void {
  try {
    writeFileSync(path, JSON.stringify(sizes));
  } catch {
    // A full disk: the next start reads the files again, and nobody is kept from what they hold.
  }
}

/** How a program shares its memory is in its settings, which may hold what is nobody's to read: their digest is kept. */
function programDigest({ engine: { server } }: HostSettings): readonly string[] {
  return server === undefined ? [] : [createHash("sha256").update(JSON.stringify(server)).digest("hex")];
}

function readKept(path: string): Readonly<Record<string, ModelSize>> {
  try {
    return known.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    // The first start, or another version's: they are read again.
    return {};
  }
}
