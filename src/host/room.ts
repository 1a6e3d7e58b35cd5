import type { ModelSize } from "../engine/index.ts";
import type { HostSettings } from "./settings.ts";

/**
 * What memory each model can have at most: pinned ones take theirs first, in the order of the settings, as long as there is
 * room; the others have what is left.
 */
export function roomOf(
  files: HostSettings["models"],
  sizes: ReadonlyMap<string, ModelSize>,
  memoryBytes: number,
): ReadonlyMap<string, number> {
  const pinned = new Map<string, number>();
  let leftBytes = memoryBytes;
  for (const { name, pin } of files) {
    const { loadedBytes } = sizes.get(name)!;
    if (pin !== true || loadedBytes > leftBytes) continue;
    pinned.set(name, loadedBytes);
    leftBytes -= loadedBytes;
  }
  return new Map(files.map(({ name }) => [name, pinned.get(name) ?? leftBytes]));
}
