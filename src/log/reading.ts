import { hashBytes } from "../base/index.ts";
import type { Disk } from "./disk.ts";
import { bundlePath, type ReadTile, tilePath, tileWidth } from "./tiles.ts";
import { bundledBytes } from "./edge.ts";

/** The tiles of a folder. A partial tile is removed once the full one is there, which begins with the same hashes. */
export function tilesOf(disk: Disk): ReadTile {
  return (level, index, width) => readPartial(disk, (each) => tilePath(level, index, each), width, hashBytes);
}

/** The first `width` entries of a bundle in a folder, as they stand there. */
export function readBundle(disk: Disk, index: number, width: number): Promise<Buffer | undefined> {
  return readPartial(disk, (each) => bundlePath(index, each), width, bundledBytes);
}

async function readPartial(
  disk: Disk,
  path: (width: number) => string,
  width: number,
  unitBytes: number,
): Promise<Buffer | undefined> {
  const exact = await disk.read(path(width));
  if (exact !== undefined || width === tileWidth) return exact;
  return (await disk.read(path(tileWidth)))?.subarray(0, width * unitBytes);
}
