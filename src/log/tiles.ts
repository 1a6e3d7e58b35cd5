/**
 * Where the hashes of a tree lie in tiles of 256 (c2sp.org/tlog-tiles, "Merkle Tree" and "Partial Tiles"). A tile's hash
 * at level l is the root over 256^l leaves.
 *
 * Sizes and indices are numbers up to 2^53 - 1 here and everywhere in this folder; a log of a million entries a second
 * reaches that after 285 years. Dividing such a number by a power of two is exact, but JavaScript's shifts are not for
 * more than 32 bits, so nobody here shifts a size.
 */
export const tileWidth = 256;

/**
 * Reads a tile: `width` hashes, 32 bytes each, or undefined where it is not there. Where the partial tile is gone, the
 * full one's first hashes are the same. This is all that proofs need of a log: a folder has it, and so has HTTP.
 */
export type ReadTile = (level: number, index: number, width: number) => Promise<Buffer | undefined>;

/** A tile that a proof needs is not there, or is not what the tree says. */
export class TileProblem extends Error {
  readonly kind: "missing" | "corrupted";
  readonly path: string;
  constructor(kind: "missing" | "corrupted", path: string, message: string) {
    super(message);
    this.name = "TileProblem";
    this.kind = kind;
    this.path = path;
  }
}

/** "tile/0/x001/x234/067.p/112": where a tile is found below a log's prefix, and in its folder. */
export function tilePath(level: number, index: number, width: number): string {
  return `tile/${level}/${indexPath(index)}${partialSuffix(width)}`;
}

/** "tile/entries/x001/x234/067.p/112": the entries whose leaves the tile of level 0 holds. */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${indexPath(index)}${partialSuffix(width)}`;
}

function partialSuffix(width: number): string {
  return width === tileWidth ? "" : `.p/${width}`;
}

/** Three digits an element, all but the last behind an "x": no file's name is ever a folder's. */
function indexPath(index: number): string {
  let path = threeDigits(index);
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000)) {
    path = `x${threeDigits(rest)}/${path}`;
  }
  return path;
}

function threeDigits(index: number): string {
  return String(index % 1_000).padStart(3, "0");
}

const resource = /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/**
 * Whether a path below the log's prefix names what anyone may have of a log of `size` entries (c2sp.org/tlog-tiles,
 * "APIs"). What lies beyond that size in a log's folder may be half written.
 */
export function isResource(path: string, size: number): boolean {
  if (path === "checkpoint") return true;
  const [, level, place, partial] = resource.exec(path) ?? [];
  if (level === undefined || place === undefined) return false;
  const index = Number(place.replaceAll(/[x/]/g, ""));
  const width = Number(partial ?? tileWidth);
  const isEntries = level === "entries";
  const isWithin = index * tileWidth + width <= hashesAt(isEntries ? 0 : Number(level), size);
  // Each has one path: none begins with elements of zeros, and none is partial and full.
  return isWithin && path === (isEntries ? bundlePath(index, width) : tilePath(Number(level), index, width));
}

/** How many hashes a level has in a tree of `size` leaves. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** How many of them its last tile has, which is not full: 0 where there is none. */
export function partialWidth(level: number, size: number): number {
  return hashesAt(level, size) % tileWidth;
}

/** How many hashes a tile has in a tree of `size` leaves. */
export function widthOf(level: number, index: number, size: number): number {
  return Math.min(tileWidth, hashesAt(level, size) - index * tileWidth);
}

/** Levels that have at least one hash. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (hashesAt(levels, size) > 0) levels++;
  return levels;
}

/** The folders of partial tiles in a log of `before` entries whose full tiles one of `after` has. */
export function outgrown(before: number, after: number): readonly string[] {
  const folders: string[] = [];
  for (let level = 0; level < levelsOf(before); level++) {
    const index = hashesAt(level + 1, before);
    if (partialWidth(level, before) === 0 || hashesAt(level + 1, after) === index) continue;
    folders.push(`${tilePath(level, index, tileWidth)}.p`);
    if (level === 0) folders.push(`${bundlePath(index, tileWidth)}.p`);
  }
  return folders;
}

export function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError(`a log's sizes are whole and below 2^53, not ${size}`);
}
