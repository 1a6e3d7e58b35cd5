import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** Folders of models are flat, or nearly. */
const depthMax = 4;
const entriesMax = 4_096;

/**
 * What tells a model's file, or folder, from another one in its place without reading it: number, size and time of every file.
 * Who verified the digest takes it down; a host that loads the model later refuses what is not the same any more. Throws where
 * it cannot be looked at.
 */
export function identityOf(path: string): string {
  const lines: string[] = [];
  describe(path, ".", 0, lines);
  return lines.sort().join(";");
}

function describe(path: string, name: string, depth: number, lines: string[]): void {
  const seen = statSync(path, { bigint: true });
  if (!seen.isDirectory()) {
    lines.push(`${name} ${seen.ino} ${seen.size} ${seen.mtimeNs}`);
    return;
  }
  if (depth > depthMax || lines.length > entriesMax) throw new Error(`${path} holds more than a model does`);
  for (const entry of readdirSync(path)) describe(join(path, entry), `${name}/${entry}`, depth + 1, lines);
}
