import { deviceTypes, usableBytes } from "../pool/index.ts";

/** The accelerators, of those that we know, that have the memory, the smallest first. */
export function wouldFit(neededBytes: number): string {
  const able = deviceTypes.filter((device) => usableBytes(device) >= neededBytes);
  if (able.length === 0) return "none that we know of";
  return able
    .toSorted((a, b) => a.memoryGiB - b.memoryGiB)
    .map(({ name, memoryGiB }) => `${name} (${memoryGiB} GiB)`)
    .join(", ");
}
