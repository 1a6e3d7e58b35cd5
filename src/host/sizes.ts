import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Engine, ModelSize } from "../engine/index.ts";
import type { Log } from "./log.ts";
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

/**
 * What each model takes and is like, as the engine says it: kept beside the counts, because reading a large file's header
 * takes a while. A model that cannot be read is left out, and told of. Rejects where that leaves none.
 */
export async function sizesOf(
  settings: HostSettings,
  engine: Engine,
  log: Log,
): Promise<ReadonlyMap<string, ModelSize>> {
  const path = join(settings.folder, "sizes.json");
  const kept = readKept(path);
  const all: Record<string, ModelSize> = {};
  const sizes = new Map<string, ModelSize>();
  const program = programDigest(settings);
  let reason = "there is no model";
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
      reason = error instanceof Error ? error.message : String(error);
      log("error", "a model cannot be read", { model: model.name, reason });
    }
  }
  if (sizes.size === 0) throw new Error(reason);
  writeFileSync(path, JSON.stringify(all));
  return sizes;
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
