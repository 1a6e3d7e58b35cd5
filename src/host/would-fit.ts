import { deviceTypes } from "../pool/index.ts";

/** What engines leave of an accelerator's memory for themselves. */
const usableShare = 0.9;

/** The accelerators, of those that we know, that have the memory, the smallest first. */
export function wouldFit(neededBytes: number): string {
  const able = deviceTypes.filter(({ memoryGiB }) => memoryGiB * 2 ** 30 * usableShare >= neededBytes);
  if (able.length === 0) return "none that we know of";
  return able
    .toSorted((a, b) => a.memoryGiB - b.memoryGiB)
    .map(({ name, memoryGiB }) => `${name} (${memoryGiB} GiB)`)
    .join(", ");
}
