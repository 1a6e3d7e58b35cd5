import { hashBytes } from "../base/index.ts";
import type { Disk } from "./disk.ts";
import { bundlePath, type ReadTile, tilePath, tileWidth } from "./tiles.ts";
import { bundledBytes } from "./edge.ts";

/** The tiles of a folder. A partial tile is removed once the full one is there, which begins with the same hashes. */
export function tilesOf(disk: Disk): ReadTile {
  return tilesBy((path) => disk.read(path));
}

/** The tiles of a log whose files are read by their paths; undefined: a file is not there. */
export function tilesBy(read: ReadFile): ReadTile {
  return (level, index, width) => readPartial(read, (each) => tilePath(level, index, each), width, hashBytes);
}

type ReadFile = (path: string) => Promise<Buffer | undefined>;

/** The first `width` entries of a bundle in a folder, as they stand there. */
export function readBundle(disk: Disk, index: number, width: number): Promise<Buffer | undefined> {
  return readPartial(
    (path) => disk.read(path),
    (each) => bundlePath(index, each),
    width,
    bundledBytes,
  );
}

async function readPartial(
  read: ReadFile,
  path: (width: number) => string,
  width: number,
  unitBytes: number,
): Promise<Buffer | undefined> {
  const exact = await read(path(width));
  if (exact !== undefined || width === tileWidth) return exact;
  return (await read(path(tileWidth)))?.subarray(0, width * unitBytes);
}
